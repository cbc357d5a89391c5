import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder, type Ran } from "./command-line.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../../docs/keyring-lost.md"), "utf8");

interface Section {
  readonly title: string;
  /** Command lines, in order. */
  readonly lines: readonly string[];
}

const sections: readonly Section[] = page.split(/^## /m).map((text) => ({
  title: text.slice(0, text.indexOf("\n")),
  lines: [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) => block.trimEnd().split("\n")),
}));

describe("docs/keyring-lost.md", () => {
  const folder = useScratchFolder();
  const home = process.cwd();

  beforeEach(() => {
    writeSidecarFolder(folder());
    process.chdir(folder());
  });
  afterEach(() => process.chdir(home));

  const run = (line: string, stdin = ""): Promise<Ran> => runInProcess(line.split(" "), stdin);
  const done = async (line: string, stdin = ""): Promise<string> => {
    if (!line.startsWith("sealwright ")) return execFileSync("sh", ["-c", line], { encoding: "utf8" });
    const { code, stdout, stderr } = await run(line.slice("sealwright ".length), stdin);
    expect(code, `${line}\n${stderr}`).to.equal(0);
    return stdout;
  };
  const keys = (command: string, file = "sidecar.yaml"): Promise<string> => {
    const [name = "", ...rest] = command.split(" ");
    return done(["sealwright keys", name, "-c", file, ...rest].join(" "));
  };
  const failure = async (line: string): Promise<string> => {
    const { stdout } = await run(`${line} --json`);
    return (JSON.parse(stdout) as { error: { code: string } }).error.code;
  };
  const newest = async (...args: readonly string[]): Promise<string> => {
    const { key } = JSON.parse(await keys(["add", ...args, "--json"].join(" "))) as { key: { id: string } };
    return key.id;
  };
  const states = async (): Promise<Readonly<Record<string, string>>> => {
    const { keys: all } = JSON.parse(await keys("list --json")) as { keys: { id: string; state: string }[] };
    return Object.fromEntries(all.map(({ id, state }) => [id, state]));
  };
  const place = "--dataset patients --tenant acme --field ssn --record 7";

  it("gives commands that bring the keyring back, whatever became of it", async () => {
    await done("sealwright kek create kek.json");
    await keys("init");
    const first = await newest("--dataset", "patients", "--active");
    const destroyed = await newest("--tenant", "left");
    const sealed = await done(`sealwright seal -c sidecar.yaml ${place}`, '"078-05-1120"');
    const known: Record<string, string> = { [first]: "active", [destroyed]: "retired" };
    let sealedByCopy = "";

    const before: Readonly<Record<string, () => Promise<void>>> = {
      "The file is gone": async () => {
        await keys(`retire ${destroyed}`);
        await keys(`destroy ${destroyed} --yes-destroy ${destroyed} --out receipt.json`);
        rmSync("keyring.json");
        expect(await failure("keys list -c sidecar.yaml")).to.equal("file_unreadable");
      },
      "The file is broken": async () => {
        const text = readFileSync("keyring.json", "utf8");
        for (const [code, bytes] of [
          ["keyring_invalid", text.slice(0, 700)],
          ["keyring_forged", text.replace(/"generation": \d+/, '"generation": 99')],
        ] as const) {
          writeFileSync("keyring.json", bytes);
          expect(await failure("keys restore -c sidecar.yaml keyring-backup-1.json")).to.equal(code);
          expect(readFileSync("keyring.json", "utf8")).to.equal(bytes);
        }
      },
      "It is an older one": async () => {
        copyFileSync("keyring.json", "older.json");
        known[await newest("--tenant", "other")] = "pending";
        await keys("backup --out keyring-backup-2.json");
        copyFileSync("older.json", "keyring.json");
      },
      "Keys are missing": async () => {
        copyFileSync("keyring.json", "copy.json");
        writeFileSync("copy.yaml", readFileSync("sidecar.yaml", "utf8").replace("keyring.json", "copy.json"));
        await keys("rotate --dataset patients --spread 0s", "copy.yaml");
        const listed = (await keys("list --state pending --ids", "copy.yaml")).trim().split("\n");
        const id = listed.find((each) => !(each in known)) ?? "";
        await keys(`activate ${id}`, "copy.yaml");
        sealedByCopy = await done(`sealwright seal -c copy.yaml ${place}`, '"219-09-9999"');
        known[id] = "decrypt-only";
        for (const tenant of ["a", "b", "c"]) known[await newest("--tenant", tenant)] = "pending";
        writeFileSync("dump.ndjson", `{"_id":"7","ssn":"${sealed.trim()}"}\n`);
      },
    };
    for (const { title, lines } of sections) {
      await before[title]?.();
      for (const line of lines) await done(line);
    }
    expect(sections.map(({ title }) => title)).to.include.members(Object.keys(before));
    expect(await states()).to.deep.equal(known);
    for (const [token, value] of [
      [sealed, '"078-05-1120"'],
      [sealedByCopy, '"219-09-9999"'],
    ] as const)
      expect(await done(`sealwright open -c sidecar.yaml ${place}`, token)).to.equal(`${value}\n`);
    expect(statSync(join(folder(), "keyring-backup-3.json")).mode & 0o777).to.equal(0o600);
    expect(await failure("keys backup -c sidecar.yaml --out keyring-backup-3.json")).to.equal("file_exists");
  });
});
