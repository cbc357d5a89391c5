import packageFile from "../../../../package.json" with { type: "json" };
import { createLog, type LogLevel } from "../../../ops/log.ts";
import { openLogDestination, type LogDestination } from "../../../ops/log-destination.ts";
import { guardProcess } from "../../../ops/process-guard.ts";
import { createPrometheus } from "../../../ops/prometheus.ts";
import type { Log } from "../../../base/log.ts";
import type { Problem } from "../../../base/yaml/problem.ts";
import { startSidecar } from "../../compose.ts";
import { loadSidecar } from "../../config/load-sidecar.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { stopSignals } from "../stop-signals.ts";

/** Ends the process at once, its log first. */
function exitWith(destination: LogDestination): (code: number) => void {
  return (code) => {
    destination.flush();
    process.exit(code);
  };
}

function logWarnings(log: Log, warnings: readonly Problem[]): void {
  for (const { rule, file, line, column } of warnings) log.warn("config_warning", { reason: rule, file, line, column });
}

export const runCommand: CommandShape = {
  name: "run",
  summary: "run the sidecar until SIGTERM or SIGINT, then let requests under way finish",
  example: "sealwright run -c sidecar.yaml",
  details:
    "Logs are JSON lines on stdout, or where log.to says. A second signal ends it at once. It exits 0 after a stop that was\n" +
    "asked for, and 1 when it cannot start or cannot go on.",
  options: [configOption],
  act: async ({ required }) => {
    const { config, warnings } = loadSidecar(required("config"), { files: "required" });
    const level: LogLevel = config.log.level;
    const destination = openLogDestination(config.log.to === "stdout" ? 1 : 2);
    const exit = exitWith(destination);
    const prometheus = createPrometheus();
    const dropped = (count: number): void => prometheus.metrics.count("sealwright_log_fields_dropped_total", {}, count);
    const log = createLog({ level, destination, dropped });
    const unguard = guardProcess({ log, exit });
    const signals = stopSignals(() => exit(exitCode.problem));
    try {
      log.info("starting", { version: packageFile.version, file: config.file });
      logWarnings(log, warnings);
      const sidecar = await startSidecar(config, { log, prometheus });
      log.info("started", { count: sidecar.listeners.length });
      const signal = await signals.first;
      log.info("stopping", { signal });
      const inTime = await sidecar.stop();
      if (inTime) log.info("stopped");
      else log.warn("stopped", { reason: "requests under way were cut off" });
      return exitCode.done;
    } finally {
      signals.release();
      unguard();
      destination.flush();
    }
  },
};
