import { SealwrightError } from "../../../base/sealwright-error.ts";
import type { KeyringStore } from "../keyring-store.ts";
import { configMapName, namesConfigMap } from "./config-map-name.ts";
import { ConfigMapStore } from "./config-map-store.ts";
import { podAccess } from "./kube-access.ts";
import { PathStore } from "./path-store.ts";

/** The store that a configuration names: `configmap:NAMESPACE/NAME`, or a path. Nothing is read yet. Throws `config_invalid`. */
export function openKeyringStore(location: string): KeyringStore {
  if (!namesConfigMap(location)) return new PathStore(location);
  const map = configMapName(location);
  if (map === undefined) throw new SealwrightError("config_invalid", { reason: "keys.keyring" });
  return new ConfigMapStore(map, podAccess);
}
