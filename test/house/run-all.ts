/**
 * `npm test`: the checks of format, lint and types beside the tests, since together they take no longer than the tests alone
 * where there are two cores. Whatever fails fails the whole; what the checks say stands below what the tests say.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";

async function script(
  name: string,
  output: "inherit" | "pipe",
): Promise<{ readonly code: number; readonly said: Buffer }> {
  const child = spawn("npm", ["run", "--silent", name], {
    stdio: ["ignore", output, output],
    shell: process.platform === "win32",
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const said = Buffer.concat(await Promise.all(streams.map((stream) => buffer(stream))));
  const [code] = await closed;
  return { code: code ?? 1, said };
}

const [check, tests] = await Promise.all([script("check", "pipe"), script("test:unit", "inherit")]);
process.stdout.write(check.said);
process.stdout.write(`checks of format, lint and types: ${check.code === 0 ? "passed" : "FAILED"}\n`);
process.exitCode = check.code === 0 && tests.code === 0 ? 0 : 1;
