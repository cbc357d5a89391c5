import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";

export const runCommand: CommandShape = {
  name: "run",
  summary: "run the sidecar until SIGTERM or SIGINT, then let requests under way finish",
  example: "sealwright run -c sidecar.yaml",
  details:
    "Logs are JSON lines on stdout, or where log.to says. A second signal ends it at once. SIGHUP drops\n" +
    "every data key from memory and reads the keyring again. It exits 0 after a stop that was\n" +
    "asked for, and 1 when it cannot start or cannot go on.",
  options: [configOption],
  act: async ({ required }) => {
    // Loaded here: the other commands need no sockets, and start faster without them.
    const { runUntilSignal } = await import("../run-until-signal.ts");
    return runUntilSignal(required("config"));
  },
};
