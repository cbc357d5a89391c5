import { spawnSync } from "node:child_process";

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs a program to its end and gives its stdout. Fails with its stderr unless it exits 0; a missing program fails too. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): string {
  const { cwd, input, env } = options;
  const done = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
  });
  if (done.error !== undefined) throw done.error;
  if (done.status === 0) return done.stdout;
  throw new Error(`${program} ${args[0] ?? ""} ended with ${done.status ?? "a signal"}:\n${done.stderr.slice(-4000)}`);
}
