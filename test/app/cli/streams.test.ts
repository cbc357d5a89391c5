import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

interface Told {
  readonly ok: boolean;
  readonly documents: number;
  readonly sealed: number;
  readonly opened: number;
  readonly clear: number;
  readonly failures: number;
  readonly keys: Readonly<Record<string, { readonly sealed: number; readonly opened: number }>>;
}

describe("streams of stored documents, by command", () => {
  const folder = useScratchFolder();
  let config: string;

  const path = (name: string): string => join(folder(), name);
  const text = (name: string): string => readFileSync(path(name), "utf8");
  const place = ["--dataset", "patients", "--tenant", "acme"];
  const run = (command: string, args: readonly string[], stdin = ""): Promise<Ran> =>
    runInProcess([...command.split(" "), "-c", config, ...args], stdin);
  const stream = (command: string, args: readonly string[], stdin = ""): Promise<Ran> =>
    run(command, [...place, ...args], stdin);
  const told = (ran: Ran): Told => JSON.parse(ran.stdout) as Told;
  const codeOf = (ran: Ran): unknown => (JSON.parse(ran.stdout) as { error: { code: string } }).error.code;
  const rotate = async (): Promise<void> => {
    await run("keys rotate", ["--dataset", "patients", "--spread", "0s"]);
    await run("keys rotate", ["--due"]);
  };

  const lines = '{"_id":"1", "ssn":"078-05-1120","n":1.50}\r\n\n{"_id":"2","notes":"x","email":"a@b.c"}';

  beforeEach(async () => {
    config = writeSidecarFolder(folder());
    await runInProcess(["kek", "create", path("kek.json")]);
    await run("keys init", []);
    await run("keys add", ["--dataset", "patients", "--active"]);
    await run("keys add", ["--dataset", "patients", "--use", "deterministic", "--active"]);
    writeFileSync(path("clear"), lines);
  });

  it("seal a dump, seal it anew after a rotation, and undo sealing: the same bytes", async () => {
    const sealed = await stream("seal", ["--ndjson", path("clear"), path("sealed")]);
    expect([sealed.code, sealed.stderr]).to.deep.equal([0, ""]);
    expect(sealed.stdout).to.match(/^2 documents, 3 values sealed, /);
    expect(text("sealed")).not.to.include("078-05-1120");
    await rotate();
    const resealed = await stream("keys reseal", ["--ndjson", path("sealed"), path("resealed"), "--json"]);
    expect(told(resealed)).to.deep.include({ ok: true, documents: 2, sealed: 2, opened: 2, clear: 0, failures: 0 });
    expect(text("resealed")).not.to.equal(text("sealed"));
    const opened = await stream("open", ["--ndjson", path("resealed"), path("opened")]);
    expect([opened.code, text("opened")]).to.deep.equal([0, lines]);
    expect(statSync(path("opened")).mode & 0o777).to.equal(0o600);
    for (const left of [".part", ".checkpoint"]) expect(existsSync(path(`opened${left}`))).to.equal(false);
  });

  it("work on the documents of one JSON text, by stdin and stdout too", async () => {
    const array = '[ {"_id":"1","ssn":"a"} ,\n{"ssn":"b","_id":"2"} ]\n';
    const sealed = await stream("seal", ["--documents", "$[*]"], array);
    expect([sealed.code, sealed.stderr.split("\n")[0]]).to.deep.equal([0, "2 documents, 2 values sealed, 0.0 MB read"]);
    const opened = await stream("open", ["--documents", "$[*]"], sealed.stdout);
    expect(opened.stdout).to.equal(array);
  });

  it("stop at what is wrong, with its line, and leave nothing under the output's name", async () => {
    writeFileSync(path("broken"), `${lines}\n{"_id":"3","ssn":"a","ssn":"b"}\n`);
    const ran = await stream("seal", ["--ndjson", path("broken"), path("out")]);
    expect([ran.code, ran.stdout]).to.deep.equal([1, ""]);
    expect(ran.stderr)
      .to.match(/^duplicate_key /)
      .and.to.match(/broken:4$/m);
    expect(existsSync(path("out"))).to.equal(false);
    writeFileSync(path("broken"), `${lines}\n{"_id":"3","ssn":"a"}\n`);
    const again = await stream("seal", ["--ndjson", path("broken"), path("out"), "--json"]);
    expect(codeOf(again)).to.equal("file_exists");
    const resumed = await stream("seal", ["--ndjson", path("broken"), path("out"), "--resume", "--json"]);
    expect(told(resumed)).to.include({ ok: true, documents: 3, sealed: 4 });
    const opened = await stream("open", ["--ndjson", path("out")]);
    expect(opened.stdout).to.equal(text("broken"));
  });

  it("leave what cannot be opened where they are told to go on, and list it without data", async () => {
    await stream("seal", ["--ndjson", path("clear"), path("sealed")]);
    writeFileSync(path("mixed"), `${text("sealed").replace('"_id":"1"', '"_id":"9"')}\n{"_id":"3","ssn":"clear"}\n{\n`);
    const refused = await stream("open", ["--ndjson", path("mixed"), path("strict"), "--json"]);
    expect(codeOf(refused)).to.equal("open_failed");
    const ran = await stream("open", ["--ndjson", path("mixed"), path("out"), "--keep-going", path("list"), "--json"]);
    expect([ran.code, told(ran).failures, told(ran).opened]).to.deep.equal([1, 3, 2]);
    const failures = text("list")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { line: number; code: string; field?: string });
    expect(failures.map(({ line, code, field }) => [line, code, field])).to.deep.equal([
      [1, "open_failed", "ssn"],
      [4, "open_failed", "ssn"],
      [5, "json_invalid", undefined],
    ]);
    expect(text("list")).not.to.include("swr1.").and.not.to.include("clear value}");
    const passed = await stream("open", ["--ndjson", "--pass-clear"], '{"_id":"3","ssn":"clear"}\n');
    expect([passed.code, passed.stdout]).to.deep.equal([0, '{"_id":"3","ssn":"clear"}\n']);
  });

  it("resume only what they began: the same options, input and output", async () => {
    await stream("seal", ["--ndjson", path("clear"), path("sealed")]);
    const broken = `${text("sealed")}\n{`;
    writeFileSync(path("broken"), broken);
    const open = (more: readonly string[]): Promise<Ran> =>
      stream("open", ["--ndjson", path("broken"), path("out"), "--json", ...more]);
    expect(codeOf(await open([]))).to.equal("json_invalid");
    expect(codeOf(await open(["--resume", "--pass-clear"]))).to.equal("resume_refused");
    writeFileSync(path("broken"), broken.replace('"_id":"2"', '"_id":"3"'));
    expect(codeOf(await open(["--resume"]))).to.equal("resume_refused");
    writeFileSync(path("broken"), "");
    expect(codeOf(await open(["--resume"]))).to.equal("resume_refused");
    writeFileSync(path("broken"), broken);
    const part = text("out.part");
    writeFileSync(path("out.part"), part.replace("078", "079"));
    expect(codeOf(await open(["--resume"]))).to.equal("resume_refused");
    writeFileSync(path("out.part"), `${part}more that no checkpoint knows`);
    writeFileSync(path("broken"), `${text("sealed")}\n`);
    expect(told(await open(["--resume"]))).to.include({ ok: true, documents: 2 });
    expect(text("out")).to.equal(`${lines}\n`);
  });

  it("resume under the field map they began with only: none of the output is in clear that the new map seals", async () => {
    const map = text("patients.yaml");
    writeFileSync(path("patients.yaml"), map.replace(/ {2}- \{ name: ssn.*\n/, ""));
    writeFileSync(path("broken"), `${lines}\n{`);
    const seal = (more: readonly string[]): Promise<Ran> =>
      stream("seal", ["--ndjson", path("broken"), path("out"), "--json", ...more]);
    expect(codeOf(await seal([]))).to.equal("json_invalid");
    expect(text("out.part")).to.include("078-05-1120");
    writeFileSync(path("patients.yaml"), map);
    expect(codeOf(await seal(["--resume"]))).to.equal("resume_refused");
  });

  it("are written by one run at a time: a second that would resume it cuts nothing off", async () => {
    const documents = Array.from({ length: 3000 }, (_, n) => `{"_id":"${n}","ssn":"${n}"}\n`).join("");
    writeFileSync(path("many"), documents);
    const seal = (): Promise<Ran> => stream("seal", ["--ndjson", path("many"), path("out"), "--resume", "--json"]);
    const both = await Promise.all([seal(), seal()]);
    const refused = both.filter(({ code }) => code !== 0);
    expect(refused.map(codeOf)).to.deep.equal(["file_exists"]);
    expect(refused[0]?.stdout).to.include("another run");
    expect((await stream("open", ["--ndjson", path("out")])).stdout).to.equal(documents);
    expect(readdirSync(folder()).filter((name) => name.includes("out"))).to.deep.equal(["out"]);
  });

  it("never write over a file, and refuse options that have no say", async () => {
    const wrong: readonly (readonly string[])[] = [
      ["seal", "--ndjson", "--field", "ssn"],
      ["seal", "--resume", "--field", "ssn"],
      ["seal", "--field", "ssn", "--record", "1", "in", "out"],
      ["open", "--ndjson", "--json"],
      ["open", "--ndjson", "--resume", "in"],
      ["open", "--ndjson", "--record-from", "none", "--record-from", "$.a"],
      ["open", "--documents", "$["],
      ["keys reseal", "in", "out"],
    ];
    for (const [command = "", ...args] of wrong) expect((await stream(command, args)).code, args.join(" ")).to.equal(2);
    writeFileSync(path("out"), "mine");
    expect(codeOf(await stream("seal", ["--ndjson", path("clear"), path("out"), "--json"]))).to.equal("file_exists");
    expect(text("out")).to.equal("mine");
    expect(codeOf(await stream("seal", ["--ndjson", path("none"), path("new"), "--json"]))).to.equal("file_unreadable");
  });
});
