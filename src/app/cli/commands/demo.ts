import type { CommandShape } from "../command.ts";
import { exitCode } from "../exit-code.ts";

export const demoCommand: CommandShape = {
  name: "demo",
  summary: "run the whole product between a real app and a real document store, and show what each of them saw",
  example: "sealwright demo",
  details:
    "Needs the packages of a checkout (npm ci). Everything stands in a scratch folder that is removed at the end.",
  options: [{ flags: "--keep", help: "leave it running until Ctrl-C, and say how to try it" }],
  act: async ({ json, flag }) => {
    const { runDemo } = await import("../../demo/demo.ts");
    return (await runDemo({ keep: flag("keep"), json })) === 0 ? exitCode.done : exitCode.problem;
  },
};
