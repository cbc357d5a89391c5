import { defaultLimits } from "../../base/limits.ts";
import { silentLog } from "../../base/log.ts";
import { noMetrics } from "../../base/metrics.ts";
import { createRewrapStream } from "../../engine/create-stream.ts";
import type { LoadedFieldMap } from "../../fieldmap/loaded-map.ts";
import type { InlineReference } from "../../crypto/types.ts";
import { InlineRewrap, type InlineWraps } from "../../keys/life-cycle/inline-rewrap.ts";
import type { KeyScope } from "../../keys/keys.ts";
import { loadSidecar } from "../config/load-sidecar.ts";
import { closeKms, commandRate, openKmsByName } from "../open-kms-by-name.ts";
import type { StreamTally } from "../streams/stream-tally.ts";
import type { CommandCall } from "./command.ts";
import type { ExitCode } from "./exit-code.ts";
import { datasetName, tenantName } from "./option-values.ts";
import { wholeStreamCall } from "./stream-options.ts";
import { runStreamCall } from "./stream-run.ts";
import { usageProblem } from "./usage-problem.ts";

/**
 * Renews the wraps of inline values in a stream, wherever they stand. Throws `usage`, what `runStreamCall` throws, `open_failed` for
 * a wrap that nothing configured opens, `kms_*`.
 */
export async function streamRewrap(call: CommandCall): Promise<ExitCode> {
  const stream = wholeStreamCall(call);
  const { config, maps } = loadSidecar(call.required("config"), { files: "noted" });
  const scopes = scopesOf(call, maps);
  const to = call.option("to");
  const kms = await openKmsByName(config.kms, { log: silentLog, metrics: noMetrics, rate: commandRate });
  try {
    const wraps = new InlineRewrap(kms, { scopes, to });
    return await runStreamCall(call, stream, {
      job: { task: "rewrap", to, scopes },
      done: "rewrapped",
      rewriter: (start, tally, keepFailed) =>
        createRewrapStream(
          new TalliedWraps(wraps, tally),
          { limits: defaultLimits, keepFailed },
          { framing: stream.framing, start },
        ),
    });
  } finally {
    await closeKms(kms);
  }
}

/** Every tenant with every dataset, former names too. Throws `usage`. */
function scopesOf({ list }: CommandCall, maps: readonly LoadedFieldMap[]): readonly KeyScope[] {
  const named = list("dataset").map(datasetName);
  const datasets = named.length > 0 ? named : maps.flatMap(({ dataset }) => [dataset.name, ...dataset.formerly]);
  const constants = maps.flatMap(({ dataset: { tenant } }) => (tenant.kind === "constant" ? [tenant.tenant] : []));
  const tenants = new Set(list("tenant").length > 0 ? list("tenant").map(tenantName) : constants);
  if (tenants.size === 0) throw usageProblem("--tenant is needed: the key service opens a wrap only for its tenant");
  return [...tenants].flatMap((tenant) => datasets.map((dataset) => ({ tenant, dataset })));
}

/** Counts values whose wrap was renewed. */
class TalliedWraps implements InlineWraps {
  readonly #wraps: InlineWraps;
  readonly #tally: StreamTally;

  constructor(wraps: InlineWraps, tally: StreamTally) {
    this.#wraps = wraps;
    this.#tally = tally;
  }

  renewed(reference: InlineReference): InlineReference | Promise<InlineReference> {
    const fresh = this.#wraps.renewed(reference);
    if (!(fresh instanceof Promise) && fresh !== reference) this.#tally.of(reference).sealed += 1;
    return fresh;
  }
}
