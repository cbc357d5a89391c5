import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../../src/base/clock.ts";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { defaultLimits } from "../../../src/base/limits.ts";
import type { SealwrightError } from "../../../src/base/sealwright-error.ts";
import { createStream, type StreamTask } from "../../../src/engine/create-stream.ts";
import type { StreamMark } from "../../../src/engine/stream-rewriter.ts";
import { storedRoute } from "../../../src/fieldmap/stored-route.ts";
import { PartFile } from "../../../src/app/streams/part-file.ts";
import { FailureList } from "../../../src/app/streams/failure-list.ts";
import { runStream } from "../../../src/app/streams/run-stream.ts";
import { StreamTally, TalliedKeys } from "../../../src/app/streams/stream-tally.ts";
import { patientsMap } from "../../engine/patients.ts";
import { MemoryKeys } from "../../rig/memory-keys.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { mapOf } from "../../rig/stream-rig.ts";

const map = mapOf(patientsMap);
const chunkBytes = 700;

interface Layout {
  readonly framing: "lines" | "document";
  readonly documents: readonly string[];
  readonly text: string;
}

const documents = Array.from(
  { length: 40 },
  (_, n) => `{"_id":"${n}","ssn":"${n}","notes":"${"x".repeat(n * 7)}","contacts":[{"phone":"${n}"}],"n":1.0}`,
);
const layouts: readonly Layout[] = [
  { framing: "lines", documents: ["$"], text: `${documents.join("\r\n")}\n` },
  { framing: "document", documents: ["$.docs[*]"], text: `{"docs":[ ${documents.join(" ,\n")} ], "total":40}` },
];

describe("interrupted streams", () => {
  const folder = useScratchFolder();
  const path = (name: string): string => join(folder(), name);

  interface Run {
    readonly output: string;
    readonly resume: boolean;
    /** Told after each kept place. */
    readonly onSave?: () => void;
  }

  async function run(task: StreamTask, keys: MemoryKeys, layout: Layout, { output, resume, onSave }: Run) {
    const input = task === "seal" ? "clear" : "sealed";
    const part = await PartFile.open({ path: path(output), resume, job: "test", input: path(input) });
    const tally = new StreamTally(part.checkpoint ?? { keys: {}, clear: 0 });
    const failures = resume
      ? FailureList.resume(path(`${output}.list`), part.checkpoint?.failures)
      : FailureList.create(path(`${output}.list`));
    try {
      const route = storedRoute(map, { documents: layout.documents, clearValues: "refuse" });
      const exchange = { route, captures: new Map<string, string>(), tenant: "t1", mergePatch: false };
      const keepFailed = (error: SealwrightError): true => {
        failures.add(error);
        return true;
      };
      const context = {
        keys: new TalliedKeys(keys, tally),
        limits: defaultLimits,
        metrics: tally.metrics,
        clock: systemClock,
        keepFailed,
      };
      await runStream({
        sink: {
          start: part.start,
          hasRead: (chunk) => part.hasRead(chunk),
          write: (pieces) => part.write(pieces),
          advance: (mark) => {
            part.advance(mark);
            failures.advance(layout.framing === "lines" ? undefined : mark.input);
          },
          save: async (mark) => {
            const { count, bytes } = failures;
            await part.save(mark, {
              failures: { count, bytes },
              keys: Object.fromEntries(tally.keys),
              clear: tally.clear,
            });
            onSave?.();
          },
        },
        rewriter: createStream(task, exchange, context, { framing: layout.framing, start: part.start }),
        input: (start) => createReadStream(path(input), { start, highWaterMark: chunkBytes }) as AsyncIterable<Buffer>,
        clock: systemClock,
        progress: () => undefined,
        saveEvery: { bytes: 1, ms: 1e9 },
      });
      failures.advance();
      await part.finish();
      return { opened: tally.opened, failures: readFileSync(path(`${output}.list`), "utf8") };
    } finally {
      failures.close();
      await part.close();
    }
  }

  it("keep no place that claims what could not be written", async () => {
    const begun: StreamMark = { input: 0, output: 0, documents: 0, lines: 0 };
    const written: StreamMark = { input: 4, output: 4, documents: 1, lines: 1 };
    const saved: StreamMark[] = [];
    let mark = begun;
    const out = [Buffer.from("text")];
    const running = runStream({
      sink: {
        start: begun,
        hasRead: () => undefined,
        advance: () => undefined,
        write: (pieces) => (pieces.length === 0 ? Promise.resolve() : Promise.reject(new Error("disk full"))),
        save: (place) => Promise.resolve(void saved.push(place)),
      },
      rewriter: {
        readFrom: 0,
        get mark() {
          return mark;
        },
        write: () => void (mark = written),
        end: () => undefined,
        take: () => out.splice(0),
        close: () => undefined,
      },
      input: () => Readable.from([Buffer.from("text")]),
      clock: systemClock,
      progress: () => undefined,
      saveEvery: { bytes: 1, ms: 1e9 },
    });
    expect(await running.catch((error: unknown) => error)).to.be.instanceOf(Error);
    expect(saved).to.deep.equal([]);
  });

  for (const layout of layouts)
    it(`go on from every place that was kept, with the same output, counts and failures (${layout.framing})`, async () => {
      const keys = new MemoryKeys();
      writeFileSync(path("clear"), layout.text);
      await run("seal", keys, layout, { output: "sealed", resume: false });
      // Two values that cannot be opened, one early, one late.
      const sealed = readFileSync(path("sealed"), "utf8");
      writeFileSync(path("sealed"), sealed.replace('"_id":"3"', '"_id":"999"').replace('"_id":"30"', '"_id":"998"'));
      let kept = 0;
      const onSave = (): void => {
        kept += 1;
        for (const name of [".part", ".checkpoint", ".list"])
          copyFileSync(path(`whole${name}`), path(`${kept}${name}`));
        // What was written after the place was kept, before the process died.
        writeFileSync(path(`${kept}.part`), "cut off", { flag: "a" });
        writeFileSync(path(`${kept}.list`), '{"code":"cut', { flag: "a" });
      };
      const whole = await run("open", keys, layout, { output: "whole", resume: false, onSave });
      expect(whole.failures.trim().split("\n")).to.have.length(6);
      expect(kept).to.be.greaterThan(10);
      for (let place = 1; place <= kept; place += 1) {
        const resumed = await run("open", keys, layout, { output: String(place), resume: true });
        expect(readFileSync(path(String(place)), "utf8"), String(place)).to.equal(readFileSync(path("whole"), "utf8"));
        expect(resumed.failures, String(place)).to.equal(whole.failures);
        // Inside one JSON text the values of the document under way may be counted twice.
        const twice = layout.framing === "lines" ? 0 : 3;
        expect(resumed.opened, String(place)).to.be.within(whole.opened, whole.opened + twice);
        expect(existsSync(path(`${place}.checkpoint`))).to.equal(false);
      }
    });

  it("go on with no list of failures that lost its end: what is not there is not made up", () => {
    writeFileSync(path("list"), '{"code":"open_failed"}\n');
    expect(() => FailureList.resume(path("list"), { count: 2, bytes: 60 }))
      .to.throw()
      .with.property("code", "resume_refused");
    expect(readFileSync(path("list"), "utf8")).to.equal('{"code":"open_failed"}\n');
  });

  it("count what is left in clear before the place too, as that is told at the end only (document)", async () => {
    const text = Buffer.from(`[${documents.slice(0, 9).join()}]`);
    const clearFrom = async (start: StreamMark): Promise<number> => {
      const tally = new StreamTally({ keys: {}, clear: 0 });
      const route = storedRoute(map, { documents: ["$[*]"], clearValues: "pass" });
      const exchange = { route, captures: new Map<string, string>(), tenant: "t1", mergePatch: false };
      const context = { keys: new MemoryKeys(), limits: defaultLimits, metrics: tally.metrics, clock: systemClock };
      const rewriter = createStream("open", exchange, context, { framing: "document", start });
      await rewriter.write(text);
      await rewriter.end();
      expect(Buffer.concat(rewriter.take()).equals(text.subarray(start.input))).to.equal(true);
      rewriter.close();
      return tally.clear;
    };
    const input = text.indexOf(',{"_id":"5"');
    const all = await clearFrom({ input: 0, output: 0, documents: 0, lines: 0 });
    expect(all).to.equal(27);
    expect(await clearFrom({ input, output: input, documents: 5, lines: 0 })).to.equal(all);
  });

  it("begin anew where no place was kept", async () => {
    const [layout] = layouts;
    if (layout === undefined) return;
    const keys = new MemoryKeys();
    writeFileSync(path("clear"), layout.text);
    writeFileSync(path("sealed.part"), "an old beginning that is longer than nothing");
    await run("seal", keys, layout, { output: "sealed", resume: true });
    await run("open", keys, layout, { output: "opened", resume: true });
    expect(readFileSync(path("opened"), "utf8")).to.equal(layout.text);
  });
});
