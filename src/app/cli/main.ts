import { CommanderError } from "commander";
import { exitCode, type ExitCode } from "./exit-code.ts";
import { buildProgram } from "./program.ts";
import { processTerminal } from "./terminal.ts";

/** Runs the command that `argv` (without node and script) names. The answer is the exit code: 0 done, 1 problem, 2 usage. */
export async function main(argv: readonly string[]): Promise<number> {
  let code: ExitCode = exitCode.done;
  const program = buildProgram({ terminal: processTerminal(), finish: (ended) => (code = ended) });
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    // Commander has said what is wrong already; help and version end with 0.
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  }
  return code;
}
