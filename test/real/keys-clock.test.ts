import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { runInProcess, writeSidecarFolder } from "../app/cli/command-line.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const program = resolve(import.meta.dirname, "../../src/app/cli/sealwright.js");
const place = ["--dataset", "patients", "--tenant", "acme", "--field", "ssn", "--record", "7"];

interface ListedKey {
  readonly id: string;
  readonly state: string;
  readonly createdAt: string;
  readonly notBefore: string;
}

/** Administrators whose clocks are a day apart, by faketime (Debian: faketime). */
describe("keys commands under clocks that are wrong by a day", () => {
  const folder = useScratchFolder();

  /** Runs the command as the clock says it `days` from now. */
  async function at(days: number, command: string, args: readonly string[] = []): Promise<string> {
    const env = { ...process.env, FAKETIME_DONT_FAKE_MONOTONIC: "1", NODE_COMPILE_CACHE: join(folder(), "compiled") };
    const shift = `${days < 0 ? "" : "+"}${days}d`;
    const line = ["-f", shift, process.execPath, program, ...command.split(" "), "-c", "sidecar.yaml", ...args];
    try {
      return (await promisify(execFile)("faketime", line, { cwd: folder(), env })).stdout;
    } catch (error) {
      if (error instanceof Error && "stdout" in error && typeof error.stdout === "string" && error.stdout !== "")
        return error.stdout;
      throw error;
    }
  }
  const keysAt = (days: number, command: string, args: readonly string[] = []): Promise<string> =>
    at(days, `keys ${command}`, [...args, "--json"]);
  const sealAt = (days: number, value: string): Promise<string> => {
    writeFileSync(join(folder(), "value.json"), value);
    return at(days, "seal", [...place, "value.json"]);
  };
  const openAt = (days: number, token: string): Promise<string> => {
    writeFileSync(join(folder(), "token.txt"), token);
    return at(days, "open", [...place, "token.txt"]);
  };
  const codeOf = (text: string): string | undefined => (JSON.parse(text) as { error?: { code: string } }).error?.code;
  const listed = async (): Promise<readonly ListedKey[]> =>
    (JSON.parse(await keysAt(0, "list")) as { keys: readonly ListedKey[] }).keys;
  const stateOf = async (id: string): Promise<string | undefined> =>
    (await listed()).find((key) => key.id === id)?.state;

  beforeEach(async () => {
    const config = writeSidecarFolder(folder());
    const keys = "keys: { form: keyring, kek: dev, keyring: keyring.json";
    writeFileSync(config, readFileSync(config, "utf8").replace(keys, `${keys}, rotation: { every: 30d }`));
    await runInProcess(["kek", "create", join(folder(), "kek.json")]);
  });

  it("opens what was sealed under any of them under any other, and loses no key", async () => {
    await keysAt(1, "init");
    await keysAt(-1, "add", ["--dataset", "patients", "--active"]);
    for (const days of [1, -1, 0]) await keysAt(days, "add", ["--dataset", "patients", "--spread", "0s"]);
    expect(await listed()).to.have.length(4);
    for (const sealed of [-1, 1]) {
      await keysAt(2, "rotate", ["--due", "--spread", "0s"]);
      const token = await sealAt(sealed, '"078-05-1120"');
      for (const opened of [-1, 0, 1]) expect(await openAt(opened, token)).to.equal('"078-05-1120"\n');
    }
    expect(await listed()).to.have.length(4);
  });

  it("a key that was made under a clock ahead waits longer, and closes nothing before its time", async () => {
    await keysAt(0, "init");
    await keysAt(0, "add", ["--dataset", "patients", "--active"]);
    const [old] = await listed();
    await keysAt(1, "rotate", ["--dataset", "patients"]);
    const key = (await listed()).find(({ state }) => state === "pending");
    expect(codeOf(await keysAt(0, "activate", [key?.id ?? ""]))).to.equal("key_state");
    for (const days of [-1, 0]) await keysAt(days, "rotate", ["--due"]);
    expect(await stateOf(key?.id ?? "")).to.equal("pending");
    await keysAt(2, "rotate", ["--due"]);
    expect(await stateOf(key?.id ?? "")).to.equal("active");
    for (const days of [-1, 0, 1]) await keysAt(days, "rotate", ["--due"]);
    expect(await stateOf(old?.id ?? "")).to.equal("active");
  });

  it("a key that was made under a clock behind is the newest all the same, and seals once it is active", async () => {
    await keysAt(1, "init");
    await keysAt(1, "add", ["--dataset", "patients", "--active"]);
    await keysAt(-1, "rotate", ["--dataset", "patients"]);
    const [first, second] = (await listed()).toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
    expect([first?.state, second?.state]).to.deep.equal(["active", "pending"]);
    expect(await stateOf(first?.id ?? "")).to.equal("active");
    await keysAt(0, "activate", [second?.id ?? ""]);
    const token = await sealAt(0, '"078-05-1120"');
    const seen = await runInProcess(["inspect", token.trim(), "--json"]);
    expect(seen.stdout).to.include((second?.id ?? "").slice(0, 32));
  });

  it("a scheduled job does nothing that is not due, whichever clock it runs by", async () => {
    await keysAt(0, "init");
    await keysAt(0, "add", ["--dataset", "patients", "--active"]);
    const before = readFileSync(join(folder(), "keyring.json"), "utf8");
    for (const days of [1, -1, 0]) await keysAt(days, "rotate", ["--due"]);
    expect(readFileSync(join(folder(), "keyring.json"), "utf8")).to.equal(before);
  });
});
