import { systemClock } from "../../base/clock.ts";
import { defaultLimits, type Limits } from "../../base/limits.ts";
import { createStream, type StreamTask } from "../../engine/create-stream.ts";
import type { LoadedFieldMap } from "../../fieldmap/loaded-map.ts";
import { storedRoute, type StoredDocuments } from "../../fieldmap/stored-route.ts";
import type { SidecarConfig } from "../config/sidecar-config.ts";
import { TalliedKeys } from "../streams/stream-tally.ts";
import type { CommandCall } from "./command.ts";
import type { ExitCode } from "./exit-code.ts";
import { mapNamed, tenantOf } from "./field-value.ts";
import { streamCall } from "./stream-options.ts";
import { runStreamCall } from "./stream-run.ts";
import { withKeys } from "./with-keys.ts";

/**
 * Seals, opens or seals anew the stored documents that a call names. Throws `usage`, what `runStreamCall` throws, and what sealing
 * and opening throw.
 */
export async function streamStored(
  call: CommandCall,
  task: StreamTask,
  clearValues: StoredDocuments["clearValues"],
): Promise<ExitCode> {
  const stream = streamCall(call, clearValues);
  return withKeys(call.required("config"), ({ maps, config }, keys) => {
    const map = mapNamed(maps, call);
    const tenant = tenantOf(map.dataset, call);
    const route = storedRoute(map, stream.stored);
    const exchange = { route, captures: new Map<string, string>(), tenant, mergePatch: false };
    const limits = limitsOf(config, map.dataset.name);
    return runStreamCall(call, stream, {
      job: { task, tenant, ...meaningOf(map) },
      done: task === "open" ? "opened" : "sealed",
      rewriter: (start, tally, keepFailed) => {
        const { metrics } = tally;
        const context = { keys: new TalliedKeys(keys, tally), limits, metrics, clock: systemClock, keepFailed };
        return createStream(task, exchange, context, { framing: stream.framing, start });
      },
    });
  });
}

/** What the map says of stored documents: under another one a run's beginning would be of another kind than its end. */
function meaningOf({ dataset, storedRecord }: LoadedFieldMap): Readonly<Record<string, unknown>> {
  const { name, formerly, fields, names } = dataset;
  return { dataset: name, formerly, fields, names, record: storedRecord.rule };
}

/** The bounds of the listener that the documents come through. */
export function limitsOf({ listeners }: SidecarConfig, dataset: string): Limits {
  return listeners.find(({ datasets }) => datasets.includes(dataset))?.limits ?? defaultLimits;
}
