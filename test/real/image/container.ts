import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { command } from "./command.ts";
import type { BuiltImage } from "./image-store.ts";

export interface ContainerOrder {
  readonly image: BuiltImage;
  /** The image's files. */
  readonly root: string;
  /** Folder for runc's bundle. */
  readonly folder: string;
  /** Unique on the machine. */
  readonly name: string;
  /** In place of the image's CMD. */
  readonly args?: readonly string[];
  /** Folder that appears at /etc/sealwright, read-only. */
  readonly configuration: string;
}

interface RuncSpec {
  process: Record<string, unknown> & { capabilities: Record<string, readonly string[]> };
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type: string; source: string; options: readonly string[] }[];
  linux: { namespaces: readonly { type: string }[] };
}

/**
 * A container run by runc the way a restricted pod would be: the image's own user, entry point and environment and nothing
 * else, read-only root, no capability, no new privileges. It shares the host's network, to reach loopback.
 */
export class Container {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #chunks: Buffer[] = [];

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    child.stdout?.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
  }

  static async start(order: ContainerOrder): Promise<Container> {
    await mkdir(order.folder, { recursive: true });
    const file = join(order.folder, "config.json");
    command("runc", ["spec", "--bundle", order.folder]);
    const spec = (await import(file, { with: { type: "json" } })) as { default: RuncSpec };
    await writeFile(file, JSON.stringify(specFor(order, spec.default)));
    const child = spawn("runc", ["run", "--bundle", order.folder, order.name], { stdio: ["ignore", "pipe", "pipe"] });
    return new Container(order.name, child);
  }

  /** Everything it printed so far. */
  get output(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits for its end; gives the exit code. */
  async ended(): Promise<number> {
    if (this.running) await once(this.#child, "exit");
    return this.#child.exitCode ?? -1;
  }

  signal(name: "TERM" | "KILL"): void {
    if (this.running) command("runc", ["kill", this.#name, name]);
  }
}

function specFor({ image, root, args, configuration }: ContainerOrder, spec: RuncSpec): RuncSpec {
  const [uid = 0, gid = 0] = image.config.User.split(":").map(Number);
  const nothing = Object.keys(spec.process.capabilities).map((kind): [string, readonly string[]] => [kind, []]);
  const bind = (source: string, destination: string): RuncSpec["mounts"][number] => ({
    ...{ source, destination, type: "bind" },
    options: ["rbind", "ro"],
  });
  return {
    ...spec,
    root: { path: root, readonly: true },
    process: {
      ...spec.process,
      rlimits: [],
      terminal: false,
      user: { uid, gid },
      env: image.config.Env,
      cwd: image.config.WorkingDir,
      args: [...image.config.Entrypoint, ...(args ?? image.config.Cmd)],
      capabilities: Object.fromEntries(nothing),
      noNewPrivileges: true,
    },
    mounts: [
      ...spec.mounts,
      bind(configuration, "/etc/sealwright"),
      // Every engine provides these.
      ...["/etc/hosts", "/etc/resolv.conf"].filter((name) => existsSync(name)).map((name) => bind(name, name)),
    ],
    linux: { ...spec.linux, namespaces: spec.linux.namespaces.filter(({ type }) => type !== "network") },
  };
}
