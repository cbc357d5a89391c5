import { expect } from "chai";
import { defaultLimits } from "../../src/base/limits.ts";
import type { Interest, JsonGuide } from "../../src/codec/json-events.ts";
import { createJsonSplicer } from "../../src/codec/json-splicer.ts";
import { patients } from "../bench/codec-documents.ts";

const gibibyte = 1024 ** 3;
const mebibyte = 1024 ** 2;
const chunkBytes = 64 * 1024;

/** `$[*].ssn` */
const ssnGuide: JsonGuide = {
  root: 1,
  member: (state, bytes, start, end) => (state === 2 && bytes.toString("latin1", start, end) === "ssn" ? 3 : 0),
  element: (state) => (state === 1 ? 2 : 0),
};

/** One array of 1 GiB: the records of `block` over and over, each chunk in memory of its own, as from a socket. */
function* longBody(block: Buffer): Generator<Buffer> {
  const records = block.subarray(1, block.length - 1);
  yield Buffer.from("[");
  for (let sent = 0; sent < gibibyte; sent += records.length) {
    if (sent > 0) yield Buffer.from(",");
    for (let at = 0; at < records.length; at += chunkBytes) yield Buffer.from(records.subarray(at, at + chunkBytes));
  }
  yield Buffer.from("]");
}

/** CPU time of this thread: another program's turn on the core does not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

describe("codec, a body of 1 GiB", () => {
  it("streams with a field in every record in less than 64 MiB more, no chunk taking 20 ms of CPU", async () => {
    const block = patients(8 * mebibyte);
    const replacement = Buffer.alloc(100, 0x61);
    let fields = 0;
    const splicer = createJsonSplicer({
      guide: ssnGuide,
      limits: { ...defaultLimits, keysPerBody: 1e9, valuesPerBody: 1e9 },
      sink: {
        begin: (state): Interest => (state === 3 ? "capture" : "enter"),
        peeked: () => undefined,
        captured(_state, _kind, _bytes, slot) {
          fields += 1;
          splicer.settle(slot, replacement);
        },
        leave: () => undefined,
      },
    });
    const before = process.memoryUsage().rss;
    const times: number[] = [];
    let most = 0;
    let out = 0;
    for (const chunk of longBody(block)) {
      const start = cpuMs();
      splicer.push(chunk);
      for (const bytes of splicer.take()) out += bytes.length;
      times.push(cpuMs() - start);
      if (times.length % 64 === 0) {
        most = Math.max(most, process.memoryUsage().rss - before);
        // As a socket would: the loop turns, and what was freed can go.
        await new Promise(setImmediate);
      }
    }
    splicer.end();
    expect(out + Buffer.concat(splicer.take()).length).to.be.above(gibibyte);
    expect(fields).to.be.above(2_000_000);
    expect(most / mebibyte).to.be.below(64);
    // The 99.9th percentile, so that a collection of garbage now and then does not count.
    expect(times.sort((a, b) => a - b)[Math.floor(times.length * 0.999)]).to.be.below(20);
  });
});
