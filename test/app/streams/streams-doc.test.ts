import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder } from "../cli/command-line.ts";

const program = resolve(import.meta.dirname, "../../../src/app/cli/sealwright.js");
const page = readFileSync(resolve(import.meta.dirname, "../../../docs/streams.md"), "utf8");
const blocks = [...page.matchAll(/^```sh\n([^`]+)^```$/gm)].map(([, block = ""]) => block);

describe("docs/streams.md", () => {
  const folder = useScratchFolder();
  const path = (name: string): string => join(folder(), name);

  it("shows commands that work one after the other", async function () {
    this.timeout(60_000);
    expect(blocks).to.have.length(5);
    const config = writeSidecarFolder(folder());
    await runInProcess(["kek", "create", path("kek.json")]);
    await runInProcess(["keys", "init", "-c", config]);
    await runInProcess(["keys", "add", "-c", config, "--dataset", "patients", "--active"]);
    const inline = readFileSync(config, "utf8")
      .replace("keys: { form: keyring, kek: dev, keyring: keyring.json }", "keys: { form: inline, kek: dev }")
      .replace("fieldMaps: [patients.yaml]", "fieldMaps: [inline-patients.yaml]");
    writeFileSync(path("inline.yaml"), inline);
    const map = readFileSync(path("patients.yaml"), "utf8");
    writeFileSync(path("inline-patients.yaml"), map.replace(", mode: deterministic", ""));
    const place = ["--dataset", "patients", "--tenant", "acme", "--ndjson"];
    const sealed = await runInProcess(["seal", "-c", path("inline.yaml"), ...place], '{"_id":"1","ssn":"a"}\n');
    writeFileSync(path("inline.ndjson"), sealed.stdout);
    const ran = spawnSync(
      "bash",
      ["-c", `sealwright() { "$NODE" "$PROGRAM" "$@"; }\nset -e -o pipefail\n${blocks.join("\n")}`],
      {
        cwd: folder(),
        env: {
          PATH: process.env["PATH"] ?? "",
          NODE: process.execPath,
          PROGRAM: program,
          NODE_COMPILE_CACHE: path("compiled"),
        },
        encoding: "utf8",
      },
    );
    expect(ran.status, ran.stderr).to.equal(0);
    expect(readFileSync(path("rewrapped.ndjson"), "utf8")).to.match(/^\{"_id":"1","ssn":"swr1\./);
  });
});
