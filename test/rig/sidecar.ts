import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join, resolve } from "node:path";

const program = resolve(import.meta.dirname, "../../src/app/cli/sealwright.js");

export interface ProgramOrder {
  /** Working folder, home and temporary folder of the process: whatever it leaves behind lies there. */
  readonly folder: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of Node.js itself, before the program. */
  readonly nodeArgs?: readonly string[];
}

function start(order: ProgramOrder): ChildProcess {
  return spawn(process.execPath, [...(order.nodeArgs ?? []), program, ...order.args], {
    cwd: order.folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", HOME: order.folder, TMPDIR: order.folder, ...order.env },
  });
}

/** Gathers a stream of a process as it comes. */
class Output {
  readonly chunks: Buffer[] = [];

  constructor(stream: NodeJS.ReadableStream | null) {
    stream?.on("data", (chunk: Buffer) => this.chunks.push(chunk));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

export interface CommandResult {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the program to its end. */
export async function runCommand(order: ProgramOrder): Promise<CommandResult> {
  const child = start(order);
  const [stdout, stderr] = [new Output(child.stdout), new Output(child.stderr)];
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? -1, stdout: stdout.bytes.toString(), stderr: stderr.bytes.toString() };
}

export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
}

/** One running sidecar process. */
export class Sidecar {
  readonly port: number;
  readonly adminPort: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #stdout: Output;
  readonly #stderr: Output;
  #exit: number | undefined;

  private constructor(child: ChildProcess, ports: { readonly port: number; readonly adminPort: number }) {
    this.#child = child;
    this.port = ports.port;
    this.adminPort = ports.adminPort;
    this.pid = child.pid ?? 0;
    this.#stdout = new Output(child.stdout);
    this.#stderr = new Output(child.stderr);
    child.once("exit", (code) => (this.#exit = code ?? -1));
  }

  /** Spawns `sealwright run` and waits until `until` answers 200: `/readyz`, or `/livez` where it must not get ready. */
  static async start(
    order: Omit<ProgramOrder, "args"> & { readonly port: number; readonly adminPort: number },
    until: "/readyz" | "/livez" = "/readyz",
  ): Promise<Sidecar> {
    const child = start({ ...order, args: ["run", "-c", join(order.folder, "sidecar.yaml")] });
    const sidecar = new Sidecar(child, order);
    for (const deadline = Date.now() + 15_000; ;) {
      const answer = await sidecar.admin(until).catch(() => undefined);
      if (answer?.status === 200) return sidecar;
      if (sidecar.#exit !== undefined || Date.now() > deadline) {
        child.kill("SIGKILL");
        throw new Error(`the sidecar did not start: ${answer?.body ?? ""}\n${sidecar.output.toString()}`);
      }
      await new Promise((settle) => setTimeout(settle, 20));
    }
  }

  /** Exit code, -1 by a signal, or `undefined` while it runs. */
  get exitCode(): number | undefined {
    return this.#exit;
  }

  /** Everything it printed so far, both streams. */
  get output(): Buffer {
    return Buffer.concat([this.#stdout.bytes, this.#stderr.bytes]);
  }

  get stderr(): string {
    return this.#stderr.bytes.toString();
  }

  /** Resident memory in bytes. */
  get residentBytes(): number {
    return this.#memory("VmRSS");
  }

  /** The most resident memory since `forgetPeak`, in bytes. */
  get peakBytes(): number {
    return this.#memory("VmHWM");
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, "5");
  }

  #memory(row: string): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "latin1");
    return Number(new RegExp(`^${row}:\\s+(\\d+) kB$`, "mu").exec(status)?.[1]) * 1024;
  }

  async admin(path: string): Promise<AdminAnswer> {
    return new Promise((settle, fail) => {
      get({ port: this.adminPort, host: "127.0.0.1", path, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("end", () =>
          settle({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
        response.once("error", fail);
      }).once("error", fail);
    });
  }

  /** The value of a metric, all label sets that contain `labels` added up. */
  async metric(name: string, labels = ""): Promise<number> {
    const { body } = await this.admin("/metrics");
    return body
      .split("\n")
      .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(labels))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    if (this.#exit !== undefined) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const impatience = setTimeout(() => this.#child.kill("SIGKILL"), 3_000);
    await ended;
    clearTimeout(impatience);
  }
}
