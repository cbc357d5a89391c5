import { mkdirSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect } from "chai";
import { printUsageReport, printUsageTime } from "../../../src/keys/usage/usage-report.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

const day = 86_400_000;

interface Told {
  readonly ok: boolean;
  readonly keys: readonly {
    readonly id: string;
    readonly state: string;
    readonly found: number;
    readonly opened: number;
    readonly lost: boolean;
    readonly verdict: { readonly eligible: boolean; readonly reasons: readonly string[] };
  }[];
  readonly unknown: readonly { readonly id: string; readonly found: number }[];
  readonly inline: readonly { readonly kek: string; readonly kekKnown: boolean; readonly found: number }[];
  readonly unopenable: number;
  readonly scan?: { readonly files: number; readonly unreadable: number; readonly values: number };
}

describe("keys inventory, and keys retire by what it sees", () => {
  const folder = useScratchFolder();
  let config: string;
  let old: string;
  let oldValue: string;
  let newValue: string;

  const run = (command: string, args: readonly string[] = [], stdin = ""): Promise<Ran> =>
    runInProcess([...command.split(" "), "-c", config, ...args], stdin);
  const idIn = async (state: string): Promise<string> =>
    (await run("keys list", ["--state", state, "--ids"])).stdout.trim();
  const place = ["--dataset", "patients", "--tenant", "acme", "--field", "ssn", "--record", "7"];
  const sealed = async (): Promise<string> => (await run("seal", place, '"078-05-1120"')).stdout.trim();
  const data = (name: string): string => join(folder(), "data", name);
  const inventory = async (args: readonly string[]): Promise<Told & { readonly code: number }> => {
    const ran = await run("keys inventory", [...args, "--json"]);
    return { ...(JSON.parse(ran.stdout) as Told), code: ran.code };
  };
  const later = async <T>(ms: number, work: () => Promise<T>): Promise<T> => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + ms;
    return work().finally(() => (Date.now = now));
  };
  const report = (sinceMs: number, writtenMs: number, keys: object, sidecar = "0"): string =>
    printUsageReport({
      apiVersion: "sealwright.dev/v1",
      kind: "KeyUsage",
      sidecar: sidecar.repeat(32),
      since: printUsageTime(sinceMs),
      writtenAt: printUsageTime(writtenMs),
      keys: keys as Record<string, { sealed: number; opened: number }>,
      other: { sealed: 0, opened: 0 },
    });

  beforeEach(async () => {
    config = writeSidecarFolder(folder());
    mkdirSync(data("deeper/still"), { recursive: true });
    await runInProcess(["kek", "create", join(folder(), "kek.json")]);
    await run("keys init");
    await run("keys add", ["--dataset", "patients", "--active"]);
    old = await idIn("active");
    oldValue = await sealed();
    await run("keys rotate", ["--dataset", "patients", "--spread", "0s"]);
    await run("keys rotate", ["--due"]);
    await run("keys rotate", ["--due", "--spread", "0s"]);
    newValue = await sealed();
  });

  it("counts values by key in files of any kind, packed ones and those in folders too", async () => {
    writeFileSync(data("a.ndjson"), `{"ssn":"${oldValue}"}\n{"ssn":"${newValue}","more":["${newValue}"]}\n`);
    writeFileSync(data("deeper/b.sql"), `insert into p values ('${oldValue}');`);
    writeFileSync(data("deeper/still/c.gz"), gzipSync(`x${newValue}\0`));
    writeFileSync(data("deeper/d.zst"), zstdCompressSync(JSON.stringify({ a: oldValue })));
    symlinkSync(data("a.ndjson"), data("link"));
    const told = await inventory(["--scan", data("")]);
    expect(told).to.include({ code: 0, ok: true, unopenable: 0 });
    expect(told.scan).to.include({ files: 4, unreadable: 0, values: 6 });
    const found = Object.fromEntries(told.keys.map(({ state, found: count }) => [state, count]));
    expect(found).to.deep.equal({ active: 3, "decrypt-only": 3 });
  });

  it("is a problem where values name keys that nobody has", async () => {
    const other = await (async (): Promise<string> => {
      await run("keys init", ["--json"]);
      return newValue.replace(/^swr1\.(.{6})/, (_, head: string) => `swr1.${head === "AQAAAA" ? "AQBBBB" : "AQAAAA"}`);
    })();
    writeFileSync(data("a.json"), JSON.stringify([other, newValue]));
    const told = await inventory(["--scan", data("")]);
    expect(told).to.include({ code: 1, ok: false, unopenable: 1 });
    expect(told.unknown.map(({ found }) => found)).to.deep.equal([1]);
    const shown = await run("keys inventory", ["--scan", data("")]);
    expect(shown.code).to.equal(1);
    expect(shown.stdout).to.match(/^[0-9a-f]{16} +UNKNOWN /m);
    expect(shown.stderr).to.include("1 values cannot be opened here");
  });

  it("is a problem where values of a retired key are left", async () => {
    writeFileSync(data("a.json"), JSON.stringify([oldValue]));
    await run("keys retire", [old, "--force", old]);
    const told = await inventory(["--scan", data("")]);
    expect(told).to.include({ code: 1, unopenable: 1 });
    expect(told.keys.find(({ id }) => id === old)?.lost).to.equal(true);
  });

  it("counts a file that it cannot read as not looked at, names it, and lets no key go", async () => {
    writeFileSync(data("a.xz"), Buffer.from("fd377a585a000000", "hex"));
    writeFileSync(data("b.gz"), gzipSync(Buffer.alloc(100_000, oldValue)).subarray(0, 200));
    writeFileSync(data("c.sql"), Buffer.from(`\ufeff'${oldValue}'`, "utf16le"));
    const ran = await run("keys inventory", ["--scan", data("")]);
    expect(ran.stderr).to.include(data("c.sql"));
    expect(ran.stderr).to.include(data("a.xz")).and.to.include(data("b.gz"));
    const told = await later(61 * day, () => inventory(["--scan", data("")]));
    expect(told.scan).to.include({ files: 3, unreadable: 3 });
    expect(told.keys.find(({ id }) => id === old)?.verdict.eligible).to.equal(false);
  });

  it("counts as not looked at: what links lead out to, empty folders, text in UTF-16, and what stands behind a packed part", async () => {
    const outside = join(folder(), "outside");
    mkdirSync(outside);
    mkdirSync(data("empty"));
    writeFileSync(join(outside, "a.ndjson"), `{"ssn":"${oldValue}"}`);
    writeFileSync(data("clear.json"), "{}");
    const unread = async (paths: readonly string[]): Promise<number | undefined> =>
      (await inventory(paths.flatMap((path) => ["--scan", path]))).scan?.unreadable;
    expect(await unread([data("clear.json")])).to.equal(0);
    expect(await unread([data("clear.json"), data("empty")])).to.equal(1);
    for (const [name, bytes] of [
      ["utf16.txt", Buffer.from(`x${oldValue}`, "utf16le")],
      ["big-endian.txt", Buffer.from(`x${oldValue}`, "utf16le").swap16()],
      ["a.zst", Buffer.concat([zstdCompressSync("x"), Buffer.from(oldValue)])],
      ["a.gz", Buffer.concat([gzipSync("x"), Buffer.alloc(512), gzipSync(oldValue)])],
      ["dump.pg", Buffer.from("PGDMP\u0001")],
    ] as const) {
      writeFileSync(data(name), bytes);
      expect(await unread([data(name)]), name).to.equal(1);
    }
    mkdirSync(data("linked"));
    writeFileSync(data("linked/clear.json"), "{}");
    symlinkSync(data("linked/clear.json"), data("linked/within"));
    expect(await unread([data("linked")])).to.equal(0);
    for (const target of [outside, join(outside, "a.ndjson"), join(outside, "gone")]) {
      symlinkSync(target, data("linked/out"));
      expect(await unread([data("linked")]), target).to.equal(1);
      unlinkSync(data("linked/out"));
    }
  });

  it("adds up the reports of a folder, each sidecar once", async () => {
    const [now, counts] = [Date.now(), { sealed: 0, opened: 5, lastOpened: printUsageTime(Date.now()) }];
    writeFileSync(data("one.json"), report(now - 90 * day, now - day, { [old]: { ...counts, opened: 3 } }, "1"));
    writeFileSync(data("copy.json"), report(now - 90 * day, now, { [old]: counts }, "1"));
    writeFileSync(data("two.json"), report(now - 90 * day, now, { [old]: counts }, "2"));
    const told = await inventory(["--reports", data("")]);
    expect(told.keys.find(({ id }) => id === old)).to.include({ opened: 10, found: 0 });
  });

  it("keeps what a report alone knows of two that share a name, as those of a cloned machine do", async () => {
    const now = Date.now();
    const seen = (ms: number) => ({ [old]: { sealed: 0, opened: 2, lastOpened: printUsageTime(now - ms) } });
    const some = data("some");
    mkdirSync(some);
    writeFileSync(join(some, "a.json"), report(now - 90 * day, now - 2000, seen(3000)));
    writeFileSync(join(some, "b.json"), report(now - 90 * day, now - 1000, seen(80 * day)));
    const key = (await inventory(["--reports", some])).keys.find(({ id }) => id === old);
    expect(key?.verdict.reasons.some((reason) => reason.startsWith("values under it were opened"))).to.equal(true);
  });

  it("is needed before a key retires: refused while a value is left, granted when none is", async () => {
    writeFileSync(data("a.ndjson"), `{"ssn":"${oldValue}"}\n`);
    const evidence = ["--scan", data("")];
    const aged = <T>(work: () => Promise<T>): Promise<T> => later(61 * day, work);
    const soon = new Date(Date.now() + 61 * day);
    utimesSync(data("a.ndjson"), soon, soon);
    const refused = await aged(() => run("keys retire", [old, ...evidence]));
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.match(/^not retired: 1 value under it found/m);
    writeFileSync(data("a.ndjson"), `{"ssn":"${newValue}"}\n`);
    utimesSync(data("a.ndjson"), soon, soon);
    expect((await aged(() => inventory(evidence))).keys.find(({ id }) => id === old)?.verdict.eligible).to.equal(true);
    const granted = await aged(() => run("keys retire", [old, ...evidence]));
    expect([granted.code, await idIn("retired")]).to.deep.equal([0, old]);
  });

  it("retires by reports alone where they reach back far enough", async () => {
    const now = Date.now();
    writeFileSync(data("one.json"), report(now - day, now + 61 * day, {}));
    expect((await later(61 * day, () => run("keys retire", [old, "--reports", data("one.json")]))).code).to.equal(0);
  });

  it("refuses a broken report, a path that is not there, and to say anything without having looked", async () => {
    writeFileSync(data("one.json"), "{}");
    const codeOf = (ran: Ran): unknown => (JSON.parse(ran.stdout) as { error: { code: string } }).error.code;
    expect(codeOf(await run("keys inventory", ["--reports", data("one.json"), "--json"]))).to.equal(
      "usage_report_invalid",
    );
    expect(codeOf(await run("keys inventory", ["--scan", data("none"), "--json"]))).to.equal("file_unreadable");
    expect((await run("keys inventory")).code).to.equal(2);
  });
});
