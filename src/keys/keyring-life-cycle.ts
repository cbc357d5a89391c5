import type { Clock } from "../base/clock.ts";
import { toBase64url } from "../base/bytes.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import { dataContext, rootContext } from "../kms/context.ts";
import type { Keyring } from "./keyring.ts";
import { printTime, shardOf, type KeyringEntry, type KeyringFile, type KeyringWrap } from "./keyring-file.ts";
import { KeyringMac } from "./keyring-mac.ts";
import { changeKeyring, openKeyring, writeNewKeyring, type KeyringPlace } from "./keyring-store.ts";
import type { KeyUse } from "./keys.ts";
import { generateProvenKey, type ProvenKey } from "./proven-key.ts";

/** A keyring in the hands of a key administrator. */
export interface KeyringOffice extends KeyringPlace {
  /** KEKs that new keys are wrapped under; the first one generates them. */
  readonly keks: readonly string[];
  readonly clock: Pick<Clock, "wallMs">;
}

/** Whose data a new key seals; an absent member = any. */
export interface EntryScope {
  readonly tenant?: string | undefined;
  readonly dataset?: string | undefined;
}

export interface NewKey {
  readonly use: KeyUse;
  readonly scope: EntryScope;
  /** Until then the key only spreads; milliseconds since 1970. Default: 10 minutes from now. */
  readonly notBeforeMs?: number | undefined;
  /** Active at once: only for the first key of its scope and use, where no sidecar can be sealing under another. */
  readonly active?: boolean | undefined;
}

/** Mounted files reach every pod within two minutes, and sidecars read them every ten seconds. */
const spreadMs = 10 * 60_000;

/**
 * Makes an empty keyring: one file, or a folder of `shards` files. Gives its root id, to pin in the configuration.
 * Throws `file_exists`, `file_unreadable`, `kms_*`.
 */
export async function createKeyring(office: KeyringOffice, shards = 1): Promise<{ readonly rootId: string }> {
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
    await writeNewKeyring(office.path, files);
    return { rootId: mac.rootId };
  } finally {
    mac.end();
  }
}

/** Adds a new key, pending unless `active`. Throws `key_state` (active where the scope has keys), `keyring_*`, `kms_*`. */
export async function addKey(office: KeyringOffice, wanted: NewKey): Promise<KeyringEntry> {
  const scope = definedScope(wanted.scope);
  return changeKeyring(office, async (keyring) => {
    if (wanted.active === true) assertFirst(keyring, wanted.use, scope);
    const proven = await generateProvenKey(office.keks, office.kms, dataContext(scope));
    proven.plaintext.fill(0);
    const now = office.clock.wallMs();
    const entry: KeyringEntry = {
      id: proven.id.toString("hex"),
      use: wanted.use,
      scope,
      state: wanted.active === true ? "active" : "pending",
      createdAt: printTime(now),
      notBefore: printTime(wanted.notBeforeMs ?? (wanted.active === true ? now : now + spreadMs)),
      wraps: printedWraps(proven),
    };
    const shard = shardHolding(keyring, entry.id);
    return { shard: withEntries(shard, [...shard.entries, entry]), result: entry };
  });
}

/**
 * Turns a pending key active. Older active keys of its scope stay active: the newest seals wherever it is in memory, and the
 * older ones are what seals meanwhile. A deterministic key must be the only active one, or equal strings would seal unequal.
 * Throws `key_state` (not pending, before `notBefore`, a second deterministic one), `keyring_*`, `kms_*`.
 */
export async function activateKey(office: KeyringOffice, id: string): Promise<KeyringEntry> {
  return changeKeyring(office, (keyring) => {
    const entry = entryNamed(keyring, id);
    if (entry.state !== "pending") throw keyState("not pending", entry);
    if (office.clock.wallMs() < Date.parse(entry.notBefore)) throw keyState("before notBefore", entry);
    if (entry.use === "deterministic" && activeLike(keyring, entry).length > 0)
      throw keyState("another deterministic key of the scope is active", entry);
    const active: KeyringEntry = { ...entry, state: "active" };
    const shard = shardHolding(keyring, entry.id);
    const entries = shard.entries.map((each) => (each.id === entry.id ? active : each));
    return Promise.resolve({ shard: withEntries(shard, entries), result: active });
  });
}

/** The verified keyring. Throws `keyring_*`, `kms_*`, `file_unreadable`. */
export async function listKeys(place: KeyringPlace): Promise<Keyring> {
  const { keyring, mac } = await openKeyring(place);
  mac.end();
  return keyring;
}

/** `id`: all 64 digits, or the first ones of exactly one entry. */
function entryNamed(keyring: Keyring, id: string): KeyringEntry {
  const found = keyring.entries.filter((entry) => id.length >= 8 && entry.id.startsWith(id));
  const [entry, another] = found;
  if (entry === undefined) throw new SealwrightError("key_state", { reason: "no such key" });
  if (another !== undefined) throw new SealwrightError("key_state", { reason: "more than one key begins like this" });
  return entry;
}

function assertFirst(keyring: Keyring, use: KeyUse, scope: KeyringEntry["scope"]): void {
  const others = keyring.entries.filter((entry) => entry.use === use && scopesOverlap(entry.scope, scope));
  if (others.length > 0)
    throw new SealwrightError("key_state", { reason: "keys for this scope, or one that overlaps it, exist already" });
}

function activeLike(keyring: Keyring, like: KeyringEntry): readonly KeyringEntry[] {
  return keyring.entries.filter(
    (entry) => entry.state === "active" && entry.use === like.use && scopesOverlap(entry.scope, like.scope),
  );
}

/** Some tenant and dataset are in both: a key of either would seal what the other's seals now. */
function scopesOverlap(a: KeyringEntry["scope"], b: KeyringEntry["scope"]): boolean {
  const meets = (one: string | undefined, other: string | undefined): boolean =>
    one === undefined || other === undefined || one === other;
  return meets(a.tenant, b.tenant) && meets(a.dataset, b.dataset);
}

function definedScope({ tenant, dataset }: EntryScope): KeyringEntry["scope"] {
  return { ...(dataset === undefined ? {} : { dataset }), ...(tenant === undefined ? {} : { tenant }) };
}

function shardHolding(keyring: Keyring, id: string): KeyringFile {
  const shard = keyring.shards[shardOf(id, keyring.shards.length)];
  if (shard === undefined) throw new SealwrightError("internal", { reason: "no shard for a key" });
  return shard;
}

function withEntries(file: KeyringFile, entries: readonly KeyringEntry[]): Omit<KeyringFile, "mac"> {
  const { apiVersion, kind, generation, shard, root } = file;
  return { apiVersion, kind, generation, shard, root, entries: entries.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

function printedWraps(key: ProvenKey): readonly KeyringWrap[] {
  return key.wraps.map(({ kek, wrapped }) => ({ kek, wrapped: toBase64url(wrapped) }));
}

function keyState(reason: string, { id }: KeyringEntry): SealwrightError {
  return new SealwrightError("key_state", { reason, keyId: id.slice(0, 16) });
}
