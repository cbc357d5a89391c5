import { request, type IncomingMessage } from "node:http";
import { once } from "node:events";

import type { BenchRow } from "./bench-row.ts";
import { BenchStage } from "./bench-stage.ts";
import { residentBytes } from "./process-cost.ts";
import { StallProbe } from "../rig/stall-probe.ts";

const gigabyte = 1_000_000_000;
const mebibyte = 1024 ** 2;

/** 64 KiB of documents, one value to seal in each some 2 KB. */
function documents(): Buffer {
  const one = `{"_id":"p1","ssn":"078-05-1120","notes":null,"text":"${"lorem ipsum ".repeat(160)}"},`;
  return Buffer.from(one.repeat(Math.floor(65_536 / one.length)));
}

function refused([{ statusCode }]: readonly [{ readonly statusCode: number }]): never {
  throw new Error(`upload refused: ${statusCode}`);
}

async function upload(port: number, bytes: number): Promise<void> {
  const chunk = documents();
  const outgoing = request({
    port,
    host: "127.0.0.1",
    method: "POST",
    path: "/v1/sink",
    headers: { "content-type": "application/json" },
  });
  const answered = once(outgoing, "response") as Promise<[{ statusCode: number; resume(): void }]>;
  outgoing.write('{"docs":[');
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    // An answer before the end is a refusal: nothing drains any more.
    if (!outgoing.write(chunk)) await Promise.race([once(outgoing, "drain"), answered.then(refused)]);
  }
  outgoing.end('{"_id":"last"}]}');
  const [answer] = await answered;
  answer.resume();
  if (answer.statusCode !== 200) throw new Error(`upload: ${answer.statusCode}`);
}

async function download(port: number, bytes: number): Promise<void> {
  const outgoing = request({ port, host: "127.0.0.1", path: `/v1/bytes/${bytes}` }).end();
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`download: ${answer.statusCode ?? 0}`);
  answer.resume();
  await once(answer, "end");
}

/** One gigabyte up and one down through the sidecar: how far its memory grows and how long its event loop stalls. */
export async function streamBench(): Promise<BenchRow[]> {
  const stage = await BenchStage.start();
  const rows: BenchRow[] = [];
  try {
    for (const [name, transfer] of Object.entries({ upload, download })) {
      await transfer(stage.sidecar.port, 50_000_000);
      const probe = new StallProbe({ port: stage.sidecar.adminPort, pid: stage.sidecar.pid });
      await probe.longest();
      const idle = residentBytes(stage.sidecar.pid);
      let peak = idle;
      const sampling = setInterval(() => (peak = Math.max(peak, residentBytes(stage.sidecar.pid))), 20);
      const began = performance.now();
      await transfer(stage.sidecar.port, gigabyte);
      const seconds = (performance.now() - began) / 1000;
      clearInterval(sampling);
      const stall = await probe.longest();
      rows.push(
        { name: `1 GB ${name}, memory growth`, value: (peak - idle) / mebibyte, unit: "MiB" },
        { name: `1 GB ${name}, longest event-loop stall`, value: stall, unit: "ms" },
        { name: `1 GB ${name}, speed`, value: gigabyte / 1e6 / seconds, unit: "MB/s" },
      );
      await probe.stop();
    }
  } finally {
    await stage.stop();
  }
  return rows;
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await streamBench(), null, 2)}\n`);
