import { SealwrightError } from "../../base/sealwright-error.ts";
import { rootContext } from "../../kms/context.ts";
import { entryNamed, keyState } from "../keyring/entry-named.ts";
import { scopesOverlap } from "../keyring/entry-scope.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { printTime, type KeyringEntry } from "../keyring/keyring-file.ts";
import { KeyringMac } from "../keyring/keyring-mac.ts";
import type { KeyringOffice } from "../keyring/keyring-office.ts";
import { shardWith } from "../keyring/keyring-shard.ts";
import { changeKeyring, openKeyring, writeNewKeyring, type KeyringPlace } from "../keyring/change-keyring.ts";
import { defaultSpreadMs, mintKey, newEntry, printedWraps, type KeyPurpose } from "./new-entry.ts";
import { generateProvenKey } from "./proven-key.ts";

export type { EntryScope } from "../keyring/entry-scope.ts";
export type { KeyringOffice } from "../keyring/keyring-office.ts";

export interface NewKey extends KeyPurpose {
  /** How long a pending key spreads at least before it may become active, milliseconds. Default: 10 minutes. */
  readonly spreadMs?: number | undefined;
  /** Earliest activation where it is later than that, milliseconds since 1970. */
  readonly notBeforeMs?: number | undefined;
  /** Active at once: only for the first key of its scope and use, where no sidecar can be sealing under another. */
  readonly active?: boolean | undefined;
}

/**
 * Makes an empty keyring: one file, or a folder of `shards` files. Gives its root id, to pin in the configuration. Where one is
 * pinned already, its keyring is elsewhere or lost, and a new one would only be called forged.
 * Throws `config_invalid` (a root is pinned), `file_exists`, `file_unreadable`, `kms_*`.
 */
export async function createKeyring(office: KeyringOffice, shards = 1): Promise<{ readonly rootId: string }> {
  if (office.rootId !== undefined)
    throw new SealwrightError("config_invalid", {
      file: office.store.location,
      reason: "keys.rootId pins a keyring: put that one there, or begin a new one without the setting",
    });
  const root = await generateProvenKey(office.keks, office.kms, rootContext);
  const wraps = printedWraps(root);
  const mac = new KeyringMac(root.plaintext);
  try {
    const files = Array.from({ length: shards }, (_, index) =>
      mac.sign({
        apiVersion: "sealwright.dev/v1",
        kind: "Keyring",
        generation: 1,
        shard: { index, count: shards },
        root: { id: mac.rootId, wraps },
        entries: [],
      }),
    );
    await writeNewKeyring(office.store, files);
    return { rootId: mac.rootId };
  } finally {
    mac.end();
  }
}

/** Adds a new key, pending unless `active`. Throws `key_state` (active where the scope has keys), `keyring_*`, `kms_*`. */
export async function addKey(office: KeyringOffice, wanted: NewKey): Promise<KeyringEntry> {
  const active = wanted.active === true;
  return changeKeyring(office, async (keyring) => {
    if (active) assertFirst(keyring, wanted);
    const key = await mintKey(office, wanted);
    const nowMs = office.clock.wallMs();
    const spreadEnd = nowMs + (wanted.spreadMs ?? defaultSpreadMs);
    const entry = newEntry(keyring, key, {
      state: active ? "active" : "pending",
      nowMs,
      notBeforeMs: active ? nowMs : Math.max(spreadEnd, wanted.notBeforeMs ?? spreadEnd),
    });
    return { shard: shardWith(keyring, entry), result: entry };
  });
}

/**
 * Turns a pending key active, since now. Older active keys of its scope stay active: the newest seals wherever it is in memory,
 * and the older ones are what seals meanwhile. A deterministic key must be the only active one, or equal strings would seal
 * unequal. Throws `key_state` (not pending, before `notBefore`, a second deterministic one), `keyring_*`, `kms_*`.
 */
export async function activateKey(office: KeyringOffice, id: string): Promise<KeyringEntry> {
  return changeKeyring(office, (keyring) => {
    const nowMs = office.clock.wallMs();
    const entry = ripeEntry(keyring, id, nowMs);
    if (entry.use === "deterministic" && activeBeside(keyring, entry).length > 0)
      throw keyState("another deterministic key of the scope is active", entry);
    const active: KeyringEntry = { ...entry, state: "active", notBefore: printTime(nowMs) };
    return Promise.resolve({ shard: shardWith(keyring, active), result: active });
  });
}

/** The pending entry that `id` names, once its time has come. Throws `key_state`. */
export function ripeEntry(keyring: Keyring, id: string, nowMs: number): KeyringEntry {
  const entry = entryNamed(keyring, id);
  if (entry.state !== "pending") throw keyState("not pending", entry);
  if (nowMs < Date.parse(entry.notBefore)) throw keyState("before notBefore", entry);
  return entry;
}

/** The verified keyring. Throws `keyring_*`, `kms_*`, `file_unreadable`. */
export async function listKeys(place: KeyringPlace): Promise<Keyring> {
  const { keyring, mac } = await openKeyring(place);
  mac.end();
  return keyring;
}

function assertFirst(keyring: Keyring, { use, scope }: NewKey): void {
  const others = keyring.entries.filter((entry) => entry.use === use && scopesOverlap(entry.scope, scope));
  if (others.length > 0)
    throw new SealwrightError("key_state", { reason: "keys for this scope, or one that overlaps it, exist already" });
}

function activeBeside(keyring: Keyring, { use, scope }: KeyringEntry): readonly KeyringEntry[] {
  return keyring.entries.filter(
    (each) => each.state === "active" && each.use === use && scopesOverlap(each.scope, scope),
  );
}
