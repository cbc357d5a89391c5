import { systemClock } from "../../base/clock.ts";
import { failedCheck, type Finding } from "../../base/finding.ts";
import { silentLog } from "../../base/log.ts";
import { noMetrics } from "../../base/metrics.ts";
import { listKeys } from "../../keys/life-cycle/keyring-life-cycle.ts";
import { openKeyringStore } from "../../keys/keyring/stores/open-keyring-store.ts";
import { generateProvenKey } from "../../keys/life-cycle/proven-key.ts";
import { dataContext } from "../../kms/context.ts";
import type { Kms } from "../../kms/kms.ts";
import { closeKms, openKmsByName } from "../open-kms-by-name.ts";
import type { LoadedSidecar } from "../config/load-sidecar.ts";
import { keyringFindings } from "./keyring-findings.ts";

type Opened = ReadonlyMap<string, Kms>;

/** Asks the key services what a sidecar would ask them, once, and looks at the keyring that they verify. */
export async function keyFindings(loaded: LoadedSidecar): Promise<readonly Finding[]> {
  const opened = await attempt("kms: opened", () =>
    openKmsByName(loaded.config.kms, { log: silentLog, metrics: noMetrics }),
  );
  if (opened.value === undefined) return [opened.finding];
  try {
    return [...(await keyringState(loaded, opened.value)), ...(await inlineState(loaded, opened.value))];
  } finally {
    await closeKms(opened.value);
  }
}

async function keyringState({ config: { keys }, maps }: LoadedSidecar, kms: Opened): Promise<readonly Finding[]> {
  if (keys?.keyring === undefined) return [];
  const { keyring, rootId } = keys;
  const store = openKeyringStore(keyring);
  const each = await Promise.all(
    [...kms].map(async ([name, one]) => {
      if (!one.canUnwrap) return { check: `kms ${name}: unwraps`, status: "ok", detail: "it only wraps here" } as const;
      return (
        await attempt(`kms ${name}: unwraps the root`, () => listKeys({ store, rootId, kms: new Map([[name, one]]) }))
      ).finding;
    }),
  );
  const whole = await attempt("keyring: verified", () => listKeys({ store, rootId, kms }));
  const state =
    whole.value === undefined
      ? [whole.finding]
      : keyringFindings(whole.value, { keys, maps, now: systemClock.wallMs() });
  return [...each, ...state];
}

/** The inline form makes keys at run time: one is made here and dropped. */
async function inlineState({ config: { keys }, maps }: LoadedSidecar, kms: Opened): Promise<readonly Finding[]> {
  if (keys?.form !== "inline") return [];
  const dataset = maps[0]?.dataset.name ?? "doctor";
  const made = await attempt(`kms ${keys.kek}: generates a data key and opens it`, async () => {
    const key = await generateProvenKey([keys.kek], kms, dataContext({ tenant: "doctor", dataset }));
    key.plaintext.fill(0);
    return true;
  });
  return [made.finding];
}

interface Attempt<T> {
  readonly value: T | undefined;
  readonly finding: Finding;
}

async function attempt<T>(check: string, work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await work(), finding: { check, status: "ok", detail: "yes" } };
  } catch (thrown) {
    return { value: undefined, finding: failedCheck(check, thrown) };
  }
}
