import { pino, type DestinationStream } from "pino";
import type { Log, LogFields } from "../base/log.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** The allow-list at run time: each member a line may hold, and its type. Whatever else is handed over is dropped. */
const allowed = {
  code: "string",
  reason: "string",
  listener: "string",
  direction: "string",
  requestId: "string",
  method: "string",
  route: "string",
  status: "number",
  dataset: "string",
  field: "string",
  position: "number",
  kek: "string",
  provider: "string",
  keyId: "string",
  generation: "number",
  attempt: "number",
  count: "number",
  bytes: "number",
  durationMs: "number",
  address: "string",
  file: "string",
  line: "number",
  column: "number",
  version: "string",
  signal: "string",
  causes: "string",
} as const satisfies Readonly<Record<keyof LogFields, "string" | "number">>;

const allowedTypes: ReadonlyMap<string, string> = new Map(Object.entries(allowed));

/** A longer member is cut: no line may carry a body. */
const longestMember = 300;

const eventName = /^[a-z][a-z0-9_]{0,63}$/;

interface PickedFields {
  readonly kept: Readonly<Record<string, string | number>>;
  readonly dropped: number;
}

function pick(fields: LogFields): PickedFields {
  const kept: Record<string, string | number> = {};
  let dropped = 0;
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (value === undefined) continue;
    if (typeof value !== allowedTypes.get(name)) dropped += 1;
    else if (typeof value === "string") kept[name] = value.slice(0, longestMember);
    else if (typeof value === "number") kept[name] = value;
  }
  return { kept, dropped };
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Where lines of JSON go, one `write` each. */
  readonly destination: DestinationStream;
  /** Hears how many members of a line were outside the allow-list. */
  readonly dropped: (count: number) => void;
}

/** The log: one JSON line per event, with `time` (RFC 3339, UTC), `level`, `event` and allowed members only. */
export function createLog(options: LogOptions): Log {
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      // pino would print an Error's message and stack: no member of that kind exists here.
      serializers: {},
    },
    options.destination,
  );

  const line = (level: "debug" | "info" | "warn" | "error") => {
    return (event: string, fields: LogFields = {}): void => {
      if (!logger.isLevelEnabled(level)) return;
      const { kept, dropped } = pick(fields);
      const named = eventName.test(event);
      if (dropped > 0 || !named) options.dropped(dropped + (named ? 0 : 1));
      logger[level](kept, named ? event : "event_without_name");
    };
  };

  return Object.freeze({ debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") });
}
