import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import type { CommandShape } from "../../../src/app/cli/command.ts";
import { commandGroups, commands } from "../../../src/app/cli/program.ts";
import { freePorts } from "../../../src/app/demo/free-ports.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder } from "./command-line.ts";

const program = resolve(import.meta.dirname, "../../../src/app/cli/sealwright.js");

interface NamedCommand {
  readonly words: readonly string[];
  readonly shape: CommandShape;
}

const all: readonly NamedCommand[] = [
  ...commands.map((shape) => ({ words: [shape.name], shape })),
  ...commandGroups.flatMap((group) =>
    group.commands.map((shape) => ({ words: [...group.name.split(" "), shape.name], shape })),
  ),
];

/** Runs a shell line where `sealwright` is this program. Gives its exit code and stderr. */
async function shell(folder: string, line: string): Promise<{ code: number; stderr: string }> {
  const script = `sealwright() { "$NODE" "$PROGRAM" "$@"; }\n${line}`;
  const child = spawn("bash", ["-c", script], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"] ?? "",
      NODE: process.execPath,
      PROGRAM: program,
      // The program starts some twenty times: compiled once is enough.
      NODE_COMPILE_CACHE: join(folder, "compiled"),
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const closed = once(child, "close") as Promise<[number]>;
  const stderr = await text(child.stderr);
  return { code: (await closed)[0], stderr };
}

describe("help", () => {
  const folder = useScratchFolder();

  it("names every command, and ends with 0", async () => {
    const ran = await runInProcess(["--help"]);
    expect(ran.code).to.equal(0);
    for (const { words } of all) expect(ran.stdout).to.match(new RegExp(`^ {2}${words[0] ?? ""} `, "m"));
  });

  for (const { words, shape } of all) {
    it(`of ${words.join(" ")} shows --json and an example of that command`, async () => {
      const ran = await runInProcess([...words, "--help"]);
      expect(ran.code).to.equal(0);
      expect(ran.stdout).to.include("--json");
      expect(ran.stdout).to.include(`Example:\n  $ ${shape.example}`);
      expect(shape.example).to.include(`sealwright ${words.join(" ")}`);
    });
  }

  it("gives examples that work, run one after the other in one folder", async function () {
    this.timeout(60_000);
    const [admin = 0, listener = 0, upstream = 0] = await freePorts(3);
    writeSidecarFolder(folder(), { admin, listener, upstream });
    const example = (name: string): string =>
      all.find(({ words }) => words.join(" ") === name)?.shape.example ?? "exit 9";
    const shown = [
      ...[
        "kek create",
        "kek recovery",
        "keys init",
        "keys add",
        "keys list",
        "keys activate",
        "keys rotate",
        "keys rewrap",
      ],
      ...["keys inventory", "keys reseal"],
      // The key that rotate has made.
      ...["keys retire", "keys destroy", "keys receipt verify", "keys backup", "keys restore", "keys cost"],
      ...["check", "explain", "inspect", "seal", "open", "doctor"],
    ];
    const around: Readonly<Record<string, (line: string) => string>> = {
      "keys activate": (line) => `sealwright keys add -c sidecar.yaml --tenant other --spread 0s\n${line}`,
      "keys inventory": (line) => `echo '{"_id":"7","ssn":"078-05-1120"}' > dump.ndjson\n${line}`,
      // The key of this folder is for development, which the doctor finds.
      doctor: (line) => `${line} || [ $? -eq 1 ]`,
    };
    const lines = shown.map((name) => around[name]?.(example(name)) ?? example(name));
    const ran = await shell(folder(), `set -e -o pipefail\n${lines.join("\n")}`);
    expect(ran.code, ran.stderr).to.equal(0);
    // Tested on their own: what serves until it is stopped, and what needs a server.
    const apart = ["demo", "run", "trust pin", "keys purge"];
    const names = all.map(({ words }) => words.join(" "));
    expect([...shown, ...apart.filter((name) => names.includes(name))].sort()).to.deep.equal(names.sort());
  });
});

describe("usage", () => {
  const wrong: readonly (readonly string[])[] = [
    [],
    ["frob"],
    ["keys"],
    ["keys", "frob"],
    ["check"],
    ["check", "-c"],
    ["check", "-c", "a", "extra"],
    ["check", "-c", "a", "--frob"],
    ["keys", "add", "-c", "a", "--use", "both"],
    ["kek", "create"],
    ["explain", "-c", "a"],
  ];
  for (const args of wrong) {
    it(`sealwright ${args.join(" ")}: exit 2, nothing on stdout`, async () => {
      const ran = await runInProcess(args);
      expect([ran.code, ran.stdout]).to.deep.equal([2, ""]);
      expect(ran.stderr).not.to.equal("");
    });
  }

  it("says the version", async () => {
    expect((await runInProcess(["--version"])).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it("is a problem, not wrong usage, when the file is not there", async () => {
    const ran = await runInProcess(["check", "-c", "none.yaml"]);
    expect([ran.code, ran.stdout]).to.deep.equal([1, ""]);
    expect(ran.stderr).to.match(/^file_unreadable .*\n {2}file: none\.yaml\n/);
  });
});
