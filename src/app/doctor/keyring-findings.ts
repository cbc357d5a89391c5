import type { Finding } from "../../base/finding.ts";
import { formatDuration } from "../../base/units.ts";
import type { LoadedFieldMap } from "../../fieldmap/loaded-map.ts";
import type { Keyring } from "../../keys/keyring/keyring.ts";
import type { KeyringEntry } from "../../keys/keyring/keyring-file.ts";
import type { KeysConfig } from "../../keys/keys-config.ts";
import type { KeyUse } from "../../keys/keys.ts";
import { defaultSpreadMs } from "../../keys/life-cycle/new-entry.ts";
import { dueRotation } from "../../keys/life-cycle/rotation-plan.ts";

/** What is looked at beside the keyring itself. */
export interface KeyringSurroundings {
  readonly keys: KeysConfig;
  readonly maps: readonly LoadedFieldMap[];
  /** Now, milliseconds since 1970. */
  readonly now: number;
}

/** What a verified keyring shows: can everything be sealed, is something due, does every key have all its wraps. */
export function keyringFindings(keyring: Keyring, surroundings: KeyringSurroundings): readonly Finding[] {
  return [
    {
      check: "keyring: verified",
      status: "ok",
      detail: `generation ${keyring.generation}, ${keyring.entries.length} keys`,
    },
    ...surroundings.maps.flatMap((map) => coverage(keyring, map)),
    wraps(keyring, surroundings.keys),
    activation(keyring, surroundings.now),
    rotation(keyring, surroundings),
  ];
}

function coverage(keyring: Keyring, { dataset }: LoadedFieldMap): readonly Finding[] {
  const uses: readonly KeyUse[] = dataset.fields.some(({ mode }) => mode === "deterministic")
    ? ["randomized", "deterministic"]
    : ["randomized"];
  return uses.map((use) => {
    const check = `keyring: ${use} key for ${dataset.name}`;
    const active = keyring.entries.filter(
      ({ state, use: its, scope }) =>
        state === "active" && its === use && (scope.dataset === undefined || scope.dataset === dataset.name),
    );
    if (active.some(({ scope }) => scope.tenant === undefined))
      return { check, status: "ok", detail: "for every tenant" };
    if (active.length > 0)
      return { check, status: "unknown", detail: `for ${active.length} tenants by name; others get no_key` };
    const fix = `Run keys add --use ${use} --dataset ${dataset.name} --active.`;
    return { check, status: "not ok", detail: "none is active: requests are refused with no_key", fix };
  });
}

function wraps(keyring: Keyring, { kek, wraps: more = [] }: KeysConfig): Finding {
  const wanted = [kek, ...more];
  const lacks = (entry: { readonly wraps: KeyringEntry["wraps"] }): boolean =>
    wanted.some((name) => !entry.wraps.some((wrap) => wrap.kek === name));
  const lacking = keyring.entries.filter((entry) => entry.wraps.length > 0 && lacks(entry)).length;
  const check = "keyring: wraps";
  if (lacking === 0 && !lacks(keyring.root))
    return { check, status: "ok", detail: `every key under ${wanted.join(", ")}` };
  const detail = `${lacking} keys${lacks(keyring.root) ? " and the root" : ""} lack a wrap under one of ${wanted.join(", ")}`;
  return { check, status: "not ok", detail, fix: "Run keys rewrap --to for the KEK that is missing." };
}

function activation(keyring: Keyring, now: number): Finding {
  const overdue = keyring.entries.filter(({ state, notBefore }) => state === "pending" && Date.parse(notBefore) <= now);
  const check = "keyring: pending keys";
  if (overdue.length === 0) return { check, status: "ok", detail: "none waits to be activated" };
  return {
    check,
    status: "not ok",
    detail: `${overdue.length} may be activated`,
    fix: "Run keys rotate --due, or keys activate.",
  };
}

function rotation(keyring: Keyring, { keys, now }: KeyringSurroundings): Finding {
  const check = "keyring: rotation";
  const every = keys.rotation?.every;
  if (every === undefined)
    return { check, status: "unknown", detail: "keys.rotation.every is not set: nothing is due by itself" };
  const { renew } = dueRotation(keyring.entries, { nowMs: now, everyMs: every, spreadMs: defaultSpreadMs });
  const overdue = renew.length;
  if (overdue === 0)
    return { check, status: "ok", detail: `every scope has a key younger than ${formatDuration(every)}` };
  return { check, status: "not ok", detail: `${overdue} scopes are due`, fix: "Run keys rotate --due." };
}
