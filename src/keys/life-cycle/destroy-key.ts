import { SealwrightError } from "../../base/sealwright-error.ts";
import { dataContext } from "../../kms/context.ts";
import { entryNamed, keyState } from "../keyring/entry-named.ts";
import { sealProbe, tryProbe } from "./erasure-probe.ts";
import type { ErasureReceipt } from "./erasure-receipt.ts";
import { printTime, type KeyringEntry } from "../keyring/keyring-file.ts";
import { joinShards } from "../keyring/keyring.ts";
import type { KeyringMac } from "../keyring/keyring-mac.ts";
import type { KeyringOffice } from "../keyring/keyring-office.ts";
import { parseStored } from "../keyring/keyring-store.ts";
import { shardHolding, shardWith } from "../keyring/keyring-shard.ts";
import { changeKeyring, openKeyring } from "../keyring/change-keyring.ts";
import { wrapDigest } from "../wrap-digest.ts";

/** What is told of the erasure apart from its proof. */
interface Erasure {
  readonly entry: KeyringEntry;
  readonly generation: { readonly before: number; readonly after: number };
}

/**
 * Removes every wrap of a retired key from the keyring, for ever; its entry stays as a tombstone. The receipt holds a value that
 * was sealed under the key and opened just before, and what opening it comes to since, by the keyring as it was read back.
 * `id`: all 64 digits. Throws `key_state` (not retired, destroyed already), `kms_*`, `keyring_*`; `internal` if the key still opens.
 */
export async function destroyKey(office: KeyringOffice, id: string): Promise<ErasureReceipt> {
  const { keyring, mac } = await openKeyring(office);
  try {
    const standing = entryNamed(keyring, id);
    assertDestroyable(standing);
    const value = await sealProbe(standing, office.kms);
    if ((await tryProbe(value, standing, office.kms)) !== "opened")
      throw new SealwrightError("kms_broken", { reason: "the probe does not open", keyId: id.slice(0, 16) });
    return await proven(office, await removeWraps(office, id), { value, mac });
  } finally {
    mac.end();
  }
}

async function removeWraps(office: KeyringOffice, id: string): Promise<Erasure> {
  return changeKeyring(office, (keyring) => {
    const entry = entryNamed(keyring, id);
    assertDestroyable(entry);
    const before = shardHolding(keyring, id).generation;
    const shard = shardWith(keyring, { ...entry, wraps: [] });
    return Promise.resolve({ shard, result: { entry, generation: { before, after: before + 1 } } });
  });
}

interface Proof {
  readonly value: string;
  readonly mac: KeyringMac;
}

/** Reads the keyring back. No key service is asked: with the wraps gone, its outage would cost the receipt for good. */
async function proven(
  { store, kms, clock }: KeyringOffice,
  { entry, generation }: Erasure,
  { value, mac }: Proof,
): Promise<ErasureReceipt> {
  const keyring = joinShards(parseStored(await store.read()).map(({ file }) => file));
  for (const shard of keyring.shards) mac.verify(shard);
  const after = await tryProbe(value, entryNamed(keyring, entry.id), kms);
  if (after === "opened") throw new SealwrightError("internal", { reason: "a destroyed key opens" });
  const { id, use, scope, createdAt, notBefore, wraps } = entry;
  const context = dataContext(scope);
  return mac.signReceipt({
    apiVersion: "sealwright.dev/v1",
    kind: "ErasureReceipt",
    rootId: keyring.root.id,
    key: { id, use, scope, createdAt, retiredAt: notBefore },
    command: "keys destroy",
    destroyedAt: printTime(clock.wallMs()),
    generation,
    wraps: wraps.map(({ kek, wrapped }) => ({
      kek,
      digest: wrapDigest(kek, Buffer.from(wrapped, "base64url"), context),
    })),
    probe: { value, before: "opened", after },
  });
}

function assertDestroyable(entry: KeyringEntry): void {
  if (entry.state !== "retired") throw keyState("only a retired key can be destroyed", entry);
  if (entry.wraps.length === 0) throw keyState("destroyed already", entry);
}
