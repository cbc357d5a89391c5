import packageFile from "../../../package.json" with { type: "json" };
import type { Log } from "../../base/log.ts";
import type { Problem } from "../../base/yaml/problem.ts";
import { createLog, type LogLevel } from "../../ops/log.ts";
import { openLogDestination, type LogDestination } from "../../ops/log-destination.ts";
import { guardProcess } from "../../ops/process-guard.ts";
import { createPrometheus } from "../../ops/prometheus.ts";
import { startSidecar } from "../compose.ts";
import { loadSidecar } from "../config/load-sidecar.ts";
import { isDevelopmentKms } from "../../kms/provider.ts";
import type { SidecarConfig } from "../config/sidecar-config.ts";
import { hardenProcess } from "../hardening/harden-process.ts";
import { exitCode, type ExitCode } from "./exit-code.ts";
import { stopSignals } from "./stop-signals.ts";

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

/** Whoever keeps a KEK in a file of this machine, or asks a key service in clear on loopback, is developing. */
function isProduction({ kms }: SidecarConfig): boolean {
  return ![...kms.values()].some(
    (each) => isDevelopmentKms(each) || ("endpoint" in each && each.endpoint?.startsWith("http:") === true),
  );
}

/**
 * Runs the sidecar that `file` describes until a signal asks it to stop, then drains it. Throws what loading and starting
 * throw.
 */
export async function runUntilSignal(file: string): Promise<ExitCode> {
  const { config, warnings } = loadSidecar(file, { files: "required" });
  const level: LogLevel = config.log.level;
  const destination = openLogDestination(config.log.to === "stdout" ? 1 : 2);
  const exit = exitWith(destination);
  const prometheus = createPrometheus();
  const dropped = (count: number): void => prometheus.metrics.count("sealwright_log_fields_dropped_total", {}, count);
  const log = createLog({ level, destination, dropped });
  const unguard = guardProcess({ log, exit });
  const signals = stopSignals(() => exit(exitCode.problem));
  // From the first moment on: unheard, the signal would end the process.
  let purge = (): void => log.info("nothing_to_purge_yet");
  const hungUp = (): void => purge();
  process.on("SIGHUP", hungUp);
  try {
    log.info("starting", { version: packageFile.version, file: config.file });
    logWarnings(log, warnings);
    hardenProcess(log, isProduction(config));
    const sidecar = await startSidecar(config, { log, prometheus });
    log.info("started", { count: sidecar.listeners.length });
    purge = () => void sidecar.purgeKeys();
    const signal = await signals.first;
    log.info("stopping", { signal });
    const inTime = await sidecar.stop();
    if (inTime) log.info("stopped");
    else log.warn("stopped", { reason: "requests under way were cut off" });
    return exitCode.done;
  } finally {
    signals.release();
    process.off("SIGHUP", hungUp);
    unguard();
    destination.flush();
  }
}
