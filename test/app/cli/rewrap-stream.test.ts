import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parseSealedValue } from "../../../src/crypto/sealed-value.ts";
import type { InlineReference } from "../../../src/crypto/types.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

describe("keys rewrap --stream", () => {
  const folder = useScratchFolder();
  let config: string;

  const path = (name: string): string => join(folder(), name);
  const text = (name: string): string => readFileSync(path(name), "utf8");
  const run = (command: string, args: readonly string[], stdin = "", file = config): Promise<Ran> =>
    runInProcess([...command.split(" "), "-c", file, ...args], stdin);
  const place = ["--dataset", "patients", "--tenant", "acme", "--ndjson"];
  const rewrap = (args: readonly string[], stdin = ""): Promise<Ran> =>
    run("keys rewrap", ["--stream", ...args], stdin);
  const codeOf = (ran: Ran): unknown => (JSON.parse(ran.stdout) as { error: { code: string } }).error.code;
  const values = (from: string) =>
    (from.match(/swr1\.[A-Za-z0-9_-]{20,}/g) ?? []).flatMap((token) => {
      const value = parseSealedValue(token);
      return value?.key.form === "inline" ? [{ body: value.body.toString("hex"), key: value.key }] : [];
    });
  const wraps = (from: string): readonly string[] => values(from).map(({ key }) => key.wrapped.toString("hex"));
  const hexOf = ({ id, kek }: InlineReference): string => `${kek} ${id.toString("hex")}`;
  const lines = (from: number): string =>
    `{"_id":"${from}", "ssn":"078-05-1120","notes":"x"}\r\n\n{"_id":"${from + 1}","ssn":7}\n`;
  /** Two sidecars' work: two data keys. */
  const sealed = async (): Promise<string> =>
    (await run("seal", place, lines(1))).stdout + (await run("seal", place, lines(3))).stdout;
  const opened = async (from: string, file = config): Promise<string> => (await run("open", place, from, file)).stdout;

  beforeEach(async () => {
    config = writeSidecarFolder(folder());
    const file = text("sidecar.yaml")
      .replace("keys: { form: keyring, kek: dev, keyring: keyring.json }", "keys: { form: inline, kek: dev }")
      .replace("keyFile: kek.json } }", "keyFile: kek.json }, next: { provider: local, keyFile: next.json } }");
    writeFileSync(config, file);
    writeFileSync(
      path("later.yaml"),
      file.replace("dev: { provider: local, keyFile: kek.json }, ", "").replace("kek: dev", "kek: next"),
    );
    writeFileSync(path("patients.yaml"), text("patients.yaml").replace(", mode: deterministic", ""));
    for (const name of ["kek.json", "next.json"]) await runInProcess(["kek", "create", path(name)]);
  });

  it("gives each wrap one new wrap, changes nothing else, and the values open", async () => {
    const before = await sealed();
    writeFileSync(path("in"), before);
    const ran = await rewrap(["--ndjson", "--tenant", "acme", path("in"), path("out")]);
    expect([ran.code, ran.stderr]).to.deep.equal([0, ""]);
    expect(ran.stdout).to.match(/^4 documents, 6 values rewrapped, /);
    const after = text("out");
    expect(values(after).map(({ body }) => body)).to.deep.equal(values(before).map(({ body }) => body));
    expect(values(after).map(({ key }) => hexOf(key))).to.deep.equal(values(before).map(({ key }) => hexOf(key)));
    const pairs = new Set(wraps(before).map((old, index) => `${old} ${wraps(after)[index] ?? ""}`));
    expect([pairs.size, new Set(wraps(before)).size, new Set(wraps(after)).size]).to.deep.equal([2, 2, 2]);
    expect(wraps(after).some((wrap) => wraps(before).includes(wrap))).to.equal(false);
    expect(await opened(after)).to.equal(lines(1) + lines(3));
  });

  it("moves values to another KEK, after which the old one is not needed; once is enough", async () => {
    const before = await sealed();
    expect((await run("open", place, before, path("later.yaml"))).code).to.equal(1);
    const moved = (await rewrap(["--ndjson", "--tenant", "acme", "--to", "next"], before)).stdout;
    expect(new Set(values(moved).map(({ key }) => key.kek))).to.deep.equal(new Set(["next"]));
    expect(await opened(moved, path("later.yaml"))).to.equal(lines(1) + lines(3));
    expect((await rewrap(["--ndjson", "--tenant", "acme", "--to", "next"], moved)).stdout).to.equal(moved);
  });

  it("finds values anywhere in one JSON text, escaped or not, and leaves everything else", async () => {
    const [token = ""] = (await sealed()).match(/swr1\.[A-Za-z0-9_-]+/) ?? [];
    const escaped = token.replace("swr1", "\\u0073wr\\u0031");
    const input = `{ "deep":[[{"a":"${token}"}],"${escaped}", "x${token}", 1.0] ,"${token}":"swr1.no" }\n`;
    const { stdout } = await rewrap(["--tenant", "other", "--tenant", "acme"], input);
    const [fresh = ""] = stdout.match(/(?<="a":")swr1\.[A-Za-z0-9_-]+/) ?? [];
    expect(fresh).not.to.equal(token);
    expect(stdout).to.equal(`{ "deep":[[{"a":"${fresh}"}],"${fresh}", "x${token}", 1.0] ,"${token}":"swr1.no" }\n`);
  });

  it("refuses a wrap that nothing configured opens, or leaves it and lists it", async () => {
    const before = await sealed();
    writeFileSync(path("in"), before);
    const args = ["--ndjson", "--json", path("in"), path("out")];
    expect(codeOf(await rewrap(["--tenant", "other", ...args]))).to.equal("open_failed");
    const kept = await rewrap([
      "--tenant",
      "other",
      "--ndjson",
      "--keep-going",
      path("list"),
      path("in"),
      path("kept"),
    ]);
    expect([kept.code, text("kept")]).to.deep.equal([1, before]);
    expect(text("list").trim().split("\n")).to.have.length(6);
    const resumed = await rewrap(["--tenant", "acme", ...args, "--resume"]);
    expect(codeOf(resumed)).to.equal("resume_refused");
  });

  it("refuses options that have no say, and to guess a tenant", async () => {
    const wrong: readonly (readonly string[])[] = [
      ["--stream", "--drop", "dev", "--tenant", "acme"],
      ["--tenant", "acme"],
      ["--ndjson"],
      ["in", "out"],
      ["--stream"],
      ["--stream", "--tenant", "no tenant"],
    ];
    for (const args of wrong) expect((await run("keys rewrap", args)).code, args.join(" ")).to.equal(2);
    const unknown = await rewrap(["--tenant", "acme", "--to", "none", "--json", "in", path("out")]);
    expect(codeOf(unknown)).to.equal("config_invalid");
  });
});
