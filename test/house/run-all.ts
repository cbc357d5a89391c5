/**
 * `npm test`: the checks of format, lint and types beside the tests, and the tests in two processes, since most of them wait for
 * processes of their own. Whatever fails fails the whole; each part's words stand together.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";

interface Part {
  readonly name: string;
  readonly words: readonly string[];
}

/** Together every folder of tests but test/real. */
const parts: readonly Part[] = [
  { name: "tests of the whole program", words: ["mocha", "test/@(abuse|app|demo)/**/*.test.ts"] },
  { name: "tests of its layers", words: ["mocha", "test/!(abuse|app|demo|real)/**/*.test.ts"] },
  { name: "checks of format, lint and types", words: ["npm", "run", "--silent", "check"] },
];

async function run({ name, words: [program = "", ...args] }: Part): Promise<boolean> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], shell: process.platform === "win32" });
  const closed = once(child, "close") as Promise<[number | null]>;
  const said = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  const [code] = await closed;
  for (const bytes of said) process.stdout.write(bytes);
  process.stdout.write(`${name}: ${code === 0 ? "passed" : "FAILED"}\n`);
  return code === 0;
}

process.stdout.write(`At once: ${parts.map(({ name }) => name).join("; ")}. Each speaks when it has ended.\n`);
const passed = await Promise.all(parts.map(run));
process.exitCode = passed.every(Boolean) ? 0 : 1;
