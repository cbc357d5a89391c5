import type { KeyringStore } from "../keyring-store.ts";
import { PathStore } from "./path-store.ts";

/** The store that a configuration names: `configmap:NAMESPACE/NAME`, or a path. Nothing is read yet. */
export function openKeyringStore(location: string): KeyringStore {
  return new PathStore(location);
}
