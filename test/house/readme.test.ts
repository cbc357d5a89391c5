import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const root = resolve(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const scripts = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> })
  .scripts;

const shellBlocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gmsu)].map((match) => match[1] ?? "");
const byHand = shellBlocks.filter((block) => block.includes("sealwright "));

describe("README", () => {
  const folder = useScratchFolder();

  it("names npm scripts that exist", () => {
    const named = [...readme.matchAll(/npm (?:run )?([a-z:]+)/gu)]
      .map((match) => match[1] ?? "")
      .filter((name) => !["ci", "run"].includes(name));
    expect(named).to.include.members(["demo", "test"]);
    for (const name of named) expect(scripts, name).to.have.property(name);
  });

  it("has commands that work as they stand, one after the other, in a folder with the example's two files", async function () {
    this.timeout(60_000);
    expect(byHand).to.have.length.at.least(3);
    for (const name of ["sidecar.yaml", "patients.yaml"])
      copyFileSync(join(root, "config/example", name), join(folder(), name));
    const script = `set -e -o pipefail\nsealwright() { "$NODE" "$PROGRAM" "$@"; }\n${byHand.join("\n")}`;
    const child = spawn("bash", ["-c", script], {
      cwd: folder(),
      env: {
        PATH: process.env["PATH"] ?? "",
        NODE: process.execPath,
        PROGRAM: join(root, "src/app/cli/sealwright.js"),
        NODE_COMPILE_CACHE: join(folder(), "compiled"),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const closed = once(child, "close") as Promise<[number]>;
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect((await closed)[0], stderr).to.equal(0);
    expect(stdout).to.include("078-05-1120");
    expect(stdout).to.match(/suite +1/u);
  });

  it("links only to files that exist", () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/gu)].map((match) => match[1] ?? "");
    expect(links).to.have.length.at.least(5);
    for (const link of links) expect(existsSync(join(root, link)), link).to.equal(true);
  });
});
