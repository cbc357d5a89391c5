import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { runInProcess, writeSidecarFolder } from "../app/cli/command-line.ts";

const program = resolve(import.meta.dirname, "../../src/app/cli/sealwright.js");
const dumpBytes = 200 * 1024 * 1024;
const mostResidentBytes = 400 * 1024 * 1024;
const readOften = 50;

interface Ended {
  readonly code: number | null;
  readonly peakBytes: number;
  readonly digest: string;
}

/** Peak of resident memory as the system knows it; 0 where it does not tell, or the process is gone. */
function peakOf(child: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

describe("streams of 200 MiB", function () {
  this.timeout(120_000);
  let folder: string;
  let config: string;
  let values = 0;

  const path = (name: string): string => join(folder, name);
  const start = (args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [program, ...args, "-c", config], { stdio: ["ignore", "pipe", "ignore"] });
  /** Runs to its end, or to its death where `until` says so. */
  const ended = async (args: readonly string[], until?: () => boolean): Promise<Ended> => {
    const child = start(args);
    const hash = createHash("sha256");
    child.stdout?.on("data", (chunk: Buffer) => hash.update(chunk));
    let peakBytes = 0;
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakOf(child));
      if (until?.() === true) child.kill("SIGKILL");
    }, readOften);
    const [code] = (await once(child, "close")) as [number | null];
    clearInterval(watch);
    return { code, peakBytes, digest: hash.digest("hex") };
  };
  const digestOf = async (name: string): Promise<string> => {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path(name)) as AsyncIterable<Buffer>) hash.update(chunk);
    return hash.digest("hex");
  };
  const stream = ["--dataset", "patients", "--tenant", "acme", "--ndjson"];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "sealwright-streams-"));
    config = writeSidecarFolder(folder);
    await runInProcess(["kek", "create", path("kek.json")]);
    await runInProcess(["keys", "init", "-c", config]);
    await runInProcess(["keys", "add", "-c", config, "--dataset", "patients", "--active"]);
    const file = await open(path("dump"), "w");
    const more = "a line of text that nobody maps, ".repeat(120);
    for (let bytes = 0; bytes < dumpBytes;) {
      const lines = Array.from({ length: 256 }, () => {
        values += 2;
        return `{"_id":"${values}","ssn":"${100_000_000 + values}","more":"${more}","notes":"stable"}\n`;
      });
      bytes += (await file.write(lines.join(""))).bytesWritten;
    }
    await file.close();
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it("are sealed in bounded memory although killed once, and open to the same bytes", async () => {
    const killed = await ended(["seal", ...stream, path("dump"), path("sealed")], () =>
      existsSync(path("sealed.checkpoint")),
    );
    expect([killed.code, existsSync(path("sealed"))]).to.deep.equal([null, false]);
    const resumed = await ended(["seal", ...stream, path("dump"), path("sealed"), "--resume"]);
    expect(resumed.code).to.equal(0);
    const opened = await ended(["open", ...stream, path("sealed")]);
    expect([opened.code, opened.digest]).to.deep.equal([0, await digestOf("dump")]);
    for (const { peakBytes } of [killed, resumed, opened]) expect(peakBytes).to.be.below(mostResidentBytes);
  });

  it("are counted by an inventory", async () => {
    const ran = await runInProcess(["keys", "inventory", "-c", config, "--scan", path("sealed"), "--json"]);
    const told = JSON.parse(ran.stdout) as { scan: { values: number }; unopenable: number };
    expect([told.scan.values, told.unopenable]).to.deep.equal([values, 0]);
  });
});
