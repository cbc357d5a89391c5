import { defaultLimits, type LimitName, type Limits } from "../../base/limits.ts";
import type { Breach } from "./breach.ts";
import { defaultTimeouts } from "../../proxy/listener-options.ts";
import type { KeysFile } from "./keys-schema.ts";
import type { ListenerFile } from "./listener-schema.ts";
import type { Numbered, ReadableSidecar } from "./readable-sidecar.ts";

/** Limits that lie inside another: the first may not be above the second. */
const nested: readonly { readonly inner: LimitName; readonly outer: LimitName }[] = [
  { inner: "keysPerObject", outer: "keysPerBody" },
  { inner: "valueBytes", outer: "bodyBytes" },
  { inner: "stringBytes", outer: "bodyBytes" },
  { inner: "wholeBytes", outer: "bodyBytes" },
  { inner: "recordWindow", outer: "bodyBytes" },
];

/** The listener's limits: those of the file over the defaults. A default never contradicts: it gives way to what is written. */
export function limitsOf(listener: ListenerFile): Limits {
  const limits: Record<LimitName, number> = { ...defaultLimits };
  const written = listener.limits ?? {};
  for (const [limit, value] of Object.entries(written) as [LimitName, number | undefined][])
    if (value !== undefined) limits[limit] = value;
  for (const { inner, outer } of nested) {
    if (limits[inner] <= limits[outer]) continue;
    if (written[inner] === undefined) limits[inner] = limits[outer];
    else if (written[outer] === undefined) limits[outer] = limits[inner];
  }
  return Object.freeze(limits);
}

function limitBreaches({ index, value }: Numbered<ListenerFile>): readonly Breach[] {
  const limits = limitsOf(value);
  return nested
    .filter(({ inner, outer }) => limits[inner] > limits[outer])
    .map(({ inner }) => ({ rule: "limits-contradict", path: ["listeners", index, "limits", inner] }));
}

function timeoutBreaches({ index, value }: Numbered<ListenerFile>): readonly Breach[] {
  const { total = defaultTimeouts.total, ...parts } = value.timeouts ?? {};
  if (total === "off") return [];
  return (["header", "body", "upstream"] as const)
    .filter((part) => (parts[part] ?? 0) > total)
    .map((part) => ({ rule: "timeouts-contradict", path: ["listeners", index, "timeouts", part] }));
}

/** Settings that only a keyring has a use for. */
function unusedKeyring(keys: KeysFile): readonly Breach[] {
  return (["keyring", "rootId", "wraps", "rotation"] as const)
    .filter((setting) => keys[setting] !== undefined)
    .map((setting) => ({ rule: "keyring-unused", path: ["keys", setting], at: "key" }));
}

function keysBreaches({ keys, hasKeys, listeners }: ReadableSidecar): readonly Breach[] {
  const user = listeners.find(({ value }) => value.fieldMaps !== undefined);
  if (!hasKeys && user !== undefined)
    return [{ rule: "keys-missing", path: ["listeners", user.index, "fieldMaps"], at: "key" }];
  if (keys === undefined) return [];
  const accepted = keys.accept ?? [keys.form];
  const needsKeyring = keys.form === "keyring" || accepted.includes("keyring");
  return [
    ...(needsKeyring && keys.keyring === undefined
      ? [{ rule: "keyring-missing" as const, path: ["keys", "form"] }]
      : []),
    ...(needsKeyring ? [] : unusedKeyring(keys)),
    ...(accepted.includes(keys.form) ? [] : [{ rule: "accept-without-form" as const, path: ["keys", "accept"] }]),
  ];
}

/** Settings that cannot all be meant. */
export function contradictionBreaches(file: ReadableSidecar): readonly Breach[] {
  return [
    ...file.trust
      .filter(({ value }) => (value.crl === undefined) !== (value.crlFailure === undefined))
      .map(({ name, value }) => ({
        rule: "crl-failure" as const,
        path: ["trust", name, value.crl === undefined ? "crlFailure" : "crl"],
        at: "key" as const,
      })),
    ...keysBreaches(file),
    ...file.listeners
      .filter(({ value }) => value.unmatched !== undefined && value.fieldMaps === undefined)
      .map(({ index }) => ({
        rule: "unmatched-without-maps" as const,
        path: ["listeners", index, "unmatched"],
        at: "key" as const,
      })),
    ...file.listeners
      .filter(({ value }) => value.headers !== undefined && value.direction === "outbound")
      .map(({ index }) => ({
        rule: "headers-unused" as const,
        path: ["listeners", index, "headers"],
        at: "key" as const,
      })),
    ...file.listeners.flatMap(limitBreaches),
    ...file.listeners.flatMap(timeoutBreaches),
  ];
}
