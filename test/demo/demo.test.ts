import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { expect } from "chai";

import type { DemoReport } from "../../src/app/demo/demo-report.ts";
import { knock } from "../../src/app/demo/front-door.ts";
import { scenarioTexts } from "../../src/app/demo/scenario.ts";

const program = resolve(import.meta.dirname, "../../src/app/cli/sealwright.js");

describe("demo command", function () {
  this.timeout(60_000);

  let folder = "";
  let demo: ChildProcess;
  let printed = "";

  function start(...args: readonly string[]): void {
    folder = mkdtempSync(join(tmpdir(), "sealwright-demo-test-"));
    printed = "";
    demo = spawn(process.execPath, [program, "demo", ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"] ?? "", TMPDIR: folder },
    });
    demo.stdout?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  }

  async function interrupted(): Promise<number | null> {
    if (demo.exitCode !== null) return demo.exitCode;
    const exited = once(demo, "exit");
    demo.kill("SIGINT");
    await exited;
    return demo.exitCode;
  }

  afterEach(async () => {
    await interrupted();
    rmSync(folder, { recursive: true, force: true });
  });

  it("shows that everything holds, stays up with --keep, and leaves nothing behind when it is interrupted", async () => {
    start("--keep", "--json");
    while (!printed.endsWith("\n}\n") && demo.exitCode === null) await once(demo.stdout!, "data");
    const report = JSON.parse(printed) as DemoReport;
    expect(report.checks.filter(({ ok }) => !ok)).to.deep.equal([]);
    expect(report.ok).to.equal(true);
    expect(report.checks).to.have.length.greaterThan(20);
    expect(report.members.filter(({ sealed }) => sealed)).to.have.length(7);
    expect(report.members.filter(({ sent, received }) => sent !== received)).to.deep.equal([]);
    expect(report.disk).to.include({ hits: 0, texts: scenarioTexts.length });
    expect(report.kms.calls).to.be.within(1, 5);
    expect(report.latency.map(({ operation }) => operation)).to.deep.equal(["read", "write"]);

    const [asApp = "", asOutsider = ""] = (report.tryOut ?? []).map(({ command }) => command);
    const url = asApp.replace("curl ", "");
    expect(await (await fetch(url)).text()).to.include("219-09-9999");
    const file = (flag: string): string =>
      readFileSync(new RegExp(` --${flag} (\\S+)`).exec(asOutsider)?.[1] ?? "", "utf8");
    const door = { url: /https:\S+/.exec(asOutsider)?.[0] ?? "", ca: file("cacert") };
    const stolen = await knock(door, { cert: file("cert"), key: file("key") });
    expect(stolen.body).to.include("swr1.").and.not.include("219-09-9999");

    expect(await interrupted()).to.equal(0);
    expect(readdirSync(folder)).to.deep.equal([]);
    expect(await fetch(url).catch(() => "gone")).to.equal("gone");
  });

  it("leaves nothing behind when it is interrupted half-way", async () => {
    start();
    while (!readdirSync(folder, { recursive: true }).some((name) => String(name).endsWith("sealwright.log"))) {
      await new Promise((settle) => setTimeout(settle, 20));
    }
    expect(await interrupted()).to.equal(1);
    expect(printed).to.equal("");
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});
