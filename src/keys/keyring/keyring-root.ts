import { SealwrightError, asSealwrightError } from "../../base/sealwright-error.ts";
import { rootContext } from "../../kms/context.ts";
import type { Keyring } from "./keyring.ts";
import { KeyringMac } from "./keyring-mac.ts";
import type { KmsByName } from "../unwrapper.ts";
import { wrapsInOrder, type KekOrder } from "../wrap-order.ts";

/**
 * Unwraps the keyring's root, by the first KEK that knows it (those of `preferred` are asked before others), and verifies every shard under it. The caller ends the answer.
 * Throws `keyring_forged` (also for a root that is not the pinned one or does not hash to its id), `kms_*`.
 */
export async function verifyKeyring(
  keyring: Keyring,
  kms: KmsByName,
  pinnedRootId: string | undefined,
  preferred: readonly string[] = [],
): Promise<KeyringMac> {
  if (pinnedRootId !== undefined && keyring.root.id !== pinnedRootId)
    throw new SealwrightError("keyring_forged", { reason: "root is not the pinned one" });
  const mac = await unwrapRoot(keyring, { kms, preferred });
  try {
    for (const shard of keyring.shards) mac.verify(shard);
    return mac;
  } catch (error) {
    mac.end();
    throw error;
  }
}

async function unwrapRoot(keyring: Keyring, keks: KekOrder): Promise<KeyringMac> {
  const failures: SealwrightError[] = [];
  for (const { wrap, kms } of wrapsInOrder(keyring.root.wraps, keks)) {
    const { kek, wrapped } = wrap;
    try {
      const mac = new KeyringMac(await kms.unwrap(Buffer.from(wrapped, "base64url"), rootContext));
      if (mac.rootId === keyring.root.id) return mac;
      mac.end();
      failures.push(new SealwrightError("keyring_forged", { reason: "root does not hash to its id", kek }));
    } catch (error) {
      failures.push(asSealwrightError(error).withFacts({ kek }));
    }
  }
  throw (
    failures.find(({ code }) => code === "kms_unavailable") ??
    failures[0] ??
    new SealwrightError("kms_not_mine", { reason: "no KEK of the configuration wraps the root" })
  );
}
