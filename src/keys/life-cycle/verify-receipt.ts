import type { Finding } from "../../base/finding.ts";
import { dataContext } from "../../kms/context.ts";
import { tryProbe } from "./erasure-probe.ts";
import type { ErasureReceipt } from "./erasure-receipt.ts";
import type { Keyring } from "../keyring/keyring.ts";
import { shardHolding } from "../keyring/keyring-shard.ts";
import { openKeyring, type KeyringPlace } from "../keyring/change-keyring.ts";
import { wrapDigest } from "../wrap-digest.ts";

/**
 * Holds a receipt against the keyring as it stands: who signed it, whether the key is a tombstone, and whether its probe opens
 * now. Throws `keyring_*`, `kms_*`, `file_unreadable`.
 */
export async function verifyReceipt(place: KeyringPlace, receipt: ErasureReceipt): Promise<readonly Finding[]> {
  const { keyring, mac } = await openKeyring(place);
  try {
    return [
      signature(mac.hasSigned(receipt)),
      tombstone(keyring, receipt),
      noWrap(keyring, receipt),
      await probe(keyring, receipt, place),
    ];
  } finally {
    mac.end();
  }
}

function signature(signed: boolean): Finding {
  const check = "signature";
  return signed
    ? { check, status: "ok", detail: "this keyring's root has signed the receipt" }
    : notOk(check, "this keyring's root has not signed this text", "Find the receipt as keys destroy wrote it.");
}

function tombstone(keyring: Keyring, { key, generation }: ErasureReceipt): Finding {
  const check = "tombstone";
  const entry = keyring.entries.find(({ id }) => id === key.id);
  if (entry === undefined)
    return notOk(check, "the keyring has no entry of this key", "Look for the keyring it was in.");
  if (entry.state !== "retired" || entry.wraps.length > 0)
    return notOk(check, "the key has wraps again", "An older keyring was put in place: destroy the key once more.");
  if (shardHolding(keyring, key.id).generation < generation.after)
    return notOk(check, "the keyring is older than the receipt", "Put the newest generation in place.");
  return { check, status: "ok", detail: "the key is retired and has no wraps" };
}

/** Under whatever entry, by digest: a copy of a wrap is as good as the wrap. */
function noWrap(keyring: Keyring, { key, wraps }: ErasureReceipt): Finding {
  const gone = new Set(wraps.map(({ digest }) => digest));
  const context = dataContext(key.scope);
  const kept = keyring.entries.some((entry) =>
    entry.wraps.some(({ kek, wrapped }) => gone.has(wrapDigest(kek, Buffer.from(wrapped, "base64url"), context))),
  );
  return kept
    ? notOk("wraps", "the keyring holds a wrap that was destroyed", "Find out who put it there.")
    : { check: "wraps", status: "ok", detail: `none of the ${wraps.length} destroyed wraps is in the keyring` };
}

async function probe(
  keyring: Keyring,
  { key, probe: { value } }: ErasureReceipt,
  place: KeyringPlace,
): Promise<Finding> {
  const check = "probe";
  const entry = keyring.entries.find(({ id }) => id === key.id);
  const outcome = entry === undefined ? "no entry" : await tryProbe(value, entry, place.kms);
  return outcome === "opened"
    ? notOk(check, "a value of the key still opens", "The key is not destroyed.")
    : { check, status: "ok", detail: `a value sealed before the key was destroyed does not open (${outcome})` };
}

function notOk(check: string, detail: string, fix: string): Finding {
  return { check, status: "not ok", detail, fix };
}
