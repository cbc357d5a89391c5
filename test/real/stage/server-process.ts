import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accepts } from "../../rig/accepts.ts";

export interface ServerOrder {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Loopback port at which it is there once it accepts connections. */
  readonly port: number;
}

/** A server of somebody else's, run for a test. A program that is not installed fails the test. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #chunks: Buffer[] = [];
  #failure: Error | undefined;

  private constructor(order: ServerOrder) {
    this.#child = spawn(order.program, order.args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...order.env },
    });
    this.#child.once("error", (error) => (this.#failure = error));
    this.#child.stdout?.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
  }

  static async start(order: ServerOrder): Promise<ServerProcess> {
    const server = new ServerProcess(order);
    for (const limit = Date.now() + 20_000; Date.now() < limit;) {
      if (server.#failure !== undefined || server.#ended) break;
      if (await accepts(order.port)) return server;
      await new Promise((settle) => setTimeout(settle, 50));
    }
    await server[Symbol.asyncDispose]();
    throw new Error(`${order.program} did not start\n${server.output}`, { cause: server.#failure });
  }

  /** Everything it printed so far. */
  get output(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended || this.#failure !== undefined) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const impatience = setTimeout(() => this.#child.kill("SIGKILL"), 3_000);
    await exited;
    clearTimeout(impatience);
  }
}
