import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { runInProcess, writeSidecarFolder } from "../app/cli/command-line.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const program = resolve(import.meta.dirname, "../../src/app/cli/sealwright.js");

interface Ended {
  /** `null` = by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The keyring on a disk that is really full, and with system calls that fail or never return. Needs strace (Debian: strace). */
describe("keyring on a failing disk", () => {
  const folder = useScratchFolder();
  const ring = (): string => join(folder(), "ring");

  async function run(command: string, args: readonly string[]): Promise<Ended> {
    const env = {
      ...process.env,
      NODE: process.execPath,
      PROGRAM: program,
      NODE_COMPILE_CACHE: join(folder(), "compiled"),
    };
    const child = spawn(command, args, { cwd: folder(), env, stdio: ["ignore", "pipe", "pipe"] });
    const closed = once(child, "close") as Promise<[number | null]>;
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: (await closed)[0], stdout, stderr };
  }

  const keys = async (command: string): Promise<string> => {
    const [name = "", ...rest] = command.split(" ");
    const { code, stdout, stderr } = await runInProcess(["keys", name, "-c", join(folder(), "sidecar.yaml"), ...rest]);
    expect(code, `${command}\n${stdout}${stderr}`).to.equal(0);
    return stdout;
  };

  const ids = async (): Promise<readonly string[]> => (await keys("list --ids")).trim().split("\n");

  beforeEach(async () => {
    const config = writeSidecarFolder(folder());
    writeFileSync(config, readFileSync(config, "utf8").replace("keyring.json", "ring/keyring.json"));
    await runInProcess(["kek", "create", join(folder(), "kek.json")]);
    mkdirSync(ring());
  });

  it("that is full refuses each change and keeps the keyring; with room again everything goes on", async () => {
    await keys("init");
    for (const tenant of "abcdefghijkl") await keys(`add --active --tenant ${tenant}`);
    renameSync(join(ring(), "keyring.json"), join(folder(), "before.json"));
    // Half of it would fit into a page.
    expect(statSync(join(folder(), "before.json")).size).to.be.greaterThan(4096);
    // The folder is a small file system of its own, which ends with the shell.
    const script = `
      set -e
      mount -t tmpfs -o size=64k tmpfs ring
      sealwright() { "$NODE" "$PROGRAM" "$@"; }
      refused() { if "$@" >out.json; then echo "done: $*" >&2; exit 9; fi; grep -o '"code":"[a-z_]*"' out.json; }
      add() { sealwright keys add -c sidecar.yaml --dataset patients --json "$@"; }
      cp before.json ring/keyring.json
      for room in 0 1; do
        dd if=/dev/zero of=ring/filler bs=4096 2>/dev/null || true
        [ $room = 0 ] || truncate -s -4096 ring/filler
        refused add --tenant m
        refused sealwright keys rewrap -c sidecar.yaml --json
        refused sealwright keys rotate -c sidecar.yaml --all --json
        refused sealwright keys backup -c sidecar.yaml --out ring/backup.json --json
        cmp ring/keyring.json before.json
        [ "$(ls -A ring | sort | tr '\\n' ' ')" = "filler keyring.json " ]
        sealwright keys list -c sidecar.yaml --ids >listed.txt
        rm ring/filler
      done
      add --tenant m >added.json
      sealwright keys list -c sidecar.yaml --ids | wc -l`;
    const ended = await run("unshare", ["--user", "--map-root-user", "--mount", "bash", "-c", script]);
    expect(ended.code, ended.stderr).to.equal(0);
    const told = ended.stdout.trim().split("\n");
    expect(told.pop()?.trim()).to.equal("13");
    expect([...new Set(told)]).to.deep.equal(['"code":"file_unreadable"']);
    expect(told).to.have.length(8);
  });

  /** Every system call by which a writer changes what others see. */
  const calls = "fsync,fdatasync,link,linkat,rename,renameat,renameat2,unlink,unlinkat,fchmod,fchown";

  /** Runs `keys rotate` under strace; gives how it ended and the calls it made, such as `fsync` and `rename`, in order. */
  async function traced(injection: readonly string[]): Promise<{ ended: Ended; made: readonly string[] }> {
    const strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "trace.txt", "-e", `trace=${calls}`, ...injection];
    const command = [process.execPath, program, "keys", "rotate", "-c", "sidecar.yaml", "--dataset", "patients"];
    // One thread for all files, so that calls are counted in one row.
    const ended = await run("env", ["UV_THREADPOOL_SIZE=1", ...strace, ...command]);
    const trace = readFileSync(join(folder(), "trace.txt"), "utf8");
    return { ended, made: [...trace.matchAll(/^\d+ +(\w+)\(/gm)].map(([, name = ""]) => name) };
  }

  for (const [title, fault] of [
    ["fails", "error=EIO"],
    ["is where SIGKILL comes", "signal=KILL"],
  ] as const)
    it(`of which a system call ${title}, each in its turn: the old keyring or the new one`, async function () {
      this.timeout(60_000);
      await keys("init");
      await keys("add --dataset patients --active");
      const [genuine, saved] = [join(ring(), "keyring.json"), join(folder(), "before.json")];
      copyFileSync(genuine, saved);
      const before = await ids();
      const begin = (): void => {
        rmSync(ring(), { recursive: true });
        mkdirSync(ring());
        copyFileSync(saved, genuine);
      };
      // The first fills the cache of compiled sources.
      await traced([]);
      begin();
      const { made } = await traced([]);
      expect(made).to.include.members(["fsync", "link", "rename", "unlink"]);
      for (const [index, name] of made.entries()) {
        begin();
        const nth = made.slice(0, index + 1).filter((each) => each === name).length;
        const { ended } = await traced(["-e", `inject=${name}:${fault}:when=${nth}`]);
        const what = `${name} ${nth}, then ${ended.code}`;
        const after = await ids();
        expect(after, what).to.include.members(before);
        if (ended.code === 0) expect(after, what).to.have.length(2);
        await keys("add --tenant other");
        expect(await ids(), what).to.have.length(after.length + 1);
        expect(readdirSync(ring()), what).to.deep.equal(["keyring.json"]);
      }
    });
});
