import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";

const source = resolve(import.meta.dirname, "../../src/ops");
const canary = "CANARY-078051120";

/** Runs `body` in a process that logs to stdout and is guarded. */
async function guarded(
  body: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const script = `
    import { createLog } from "${source}/log.ts";
    import { openLogDestination } from "${source}/log-destination.ts";
    import { guardProcess } from "${source}/process-guard.ts";
    const destination = openLogDestination(1);
    const log = createLog({ level: "info", destination, dropped: () => undefined });
    guardProcess({ log, exit: (code) => { destination.flush(); process.exit(code); } });
    setTimeout(() => process.exit(0), 2000);
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close") as Promise<[number]>;
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: (await closed)[0], stdout, stderr };
}

describe("process guard", () => {
  it("ends the process with 1 on what nobody caught, and shows no message", async () => {
    const ran = await guarded(`setTimeout(() => { throw new TypeError("${canary}"); }, 1);`);
    expect(ran.code).to.equal(1);
    const line = JSON.parse(ran.stdout) as Record<string, unknown>;
    expect(line).to.include({ level: "error", event: "process_failed", code: "internal" });
    expect(line["causes"]).to.match(/^TypeError/);
    expect(ran.stdout + ran.stderr).not.to.include(canary);
  });

  it("does the same for a promise that nobody awaited", async () => {
    const ran = await guarded(`Promise.reject(new Error("${canary}", { cause: "${canary}" }));`);
    expect(ran.code).to.equal(1);
    expect((JSON.parse(ran.stdout) as { causes: string }).causes).to.match(/^Error.* < string$/);
    expect(ran.stdout + ran.stderr).not.to.include(canary);
  });
});
