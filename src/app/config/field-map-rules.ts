import type { LoadedFieldMap } from "../../fieldmap/loaded-map.ts";
import type { Breach } from "./breach.ts";
import { isPrivateAddress } from "./exposure-rules.ts";
import type { ListenerFile } from "./listener-schema.ts";
import type { Numbered, ReadableSidecar } from "./readable-sidecar.ts";

/** A field map of the sidecar file, by its place in the list; `map` is absent when it could not be loaded. */
export interface ListedMap {
  readonly index: number;
  readonly map: LoadedFieldMap | undefined;
}

const nameOf = ({ map }: ListedMap): string | undefined => map?.dataset.name;

/** Only who may name any tenant can reach a listener that takes the tenant from a header. */
function mayNameTenant({ direction, listen, tls }: ListenerFile): boolean {
  if (direction === "outbound") return isPrivateAddress(listen);
  return tls?.clients?.allow !== undefined && tls.clients.trusted;
}

function listenerBreaches({ index, value }: Numbered<ListenerFile>, maps: readonly ListedMap[]): readonly Breach[] {
  const allLoaded = maps.every(({ map }) => map !== undefined);
  return (value.fieldMaps ?? []).flatMap((dataset, position): readonly Breach[] => {
    const path = ["listeners", index, "fieldMaps", position];
    const found = maps.find((map) => nameOf(map) === dataset)?.map;
    // A map that could not be loaded may be the one that is meant.
    if (found === undefined)
      return allLoaded ? [{ rule: "unknown-field-map", path, known: maps.flatMap((map) => nameOf(map) ?? []) }] : [];
    const unsafe = found.dataset.tenant.kind === "header" && !mayNameTenant(value);
    return unsafe ? [{ rule: "tenant-header-unsafe", path }] : [];
  });
}

/** Inline, each sidecar makes its own keys: two of them would seal one value to two texts, so no key is given. */
function inlineBreaches({ keys }: ReadableSidecar, maps: readonly ListedMap[]): readonly Breach[] {
  if (keys?.form !== "inline") return [];
  return maps
    .filter(({ map }) => map?.dataset.fields.some(({ mode }) => mode === "deterministic"))
    .map(({ index }) => ({ rule: "inline-deterministic", path: ["fieldMaps", index] }));
}

/** Rules between the keys, the listeners and the field maps they name. */
export function fieldMapBreaches(file: ReadableSidecar, maps: readonly ListedMap[]): readonly Breach[] {
  const names = maps.map(nameOf);
  const used = new Set(file.listeners.flatMap(({ value }) => value.fieldMaps ?? []));
  return [
    ...maps
      .filter((map, position) => nameOf(map) !== undefined && names.indexOf(nameOf(map)) < position)
      .map(({ index }) => ({ rule: "duplicate-dataset" as const, path: ["fieldMaps", index] })),
    ...maps
      .filter((map) => nameOf(map) !== undefined && !used.has(nameOf(map) ?? ""))
      .map(({ index }) => ({ rule: "unused-field-map" as const, path: ["fieldMaps", index] })),
    ...inlineBreaches(file, maps),
    ...file.listeners.flatMap((listener) => listenerBreaches(listener, maps)),
  ];
}
