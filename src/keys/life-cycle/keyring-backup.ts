import { hash } from "node:crypto";
import { z } from "zod";
import { canonicalJson } from "../../base/canonical-json.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { joinShards, type Keyring } from "../keyring/keyring.ts";
import { isTime, parseKeyringFile, type KeyringFile } from "../keyring/keyring-file.ts";
import { oneSpelling } from "../keyring/one-spelling.ts";

/**
 * A whole keyring in one document. Its shards are the files as they stood, each with its own code under the root, which is what
 * proves it genuine; the digest only finds damage where no key service is at hand.
 *
 *     { apiVersion, kind: "KeyringBackup", madeAt, rootId, generation, sha256, shards: [ keyring file ] }
 *     sha256 = hex(SHA-256(RFC 8785 bytes of shards))
 */
const backupSchema = z.strictObject({
  apiVersion: z.literal("sealwright.dev/v1"),
  kind: z.literal("KeyringBackup"),
  madeAt: z.string().refine(isTime),
  rootId: z.string(),
  /** The highest of the shards' generations. */
  generation: z.int(),
  sha256: z.string(),
  shards: z.array(z.unknown()),
});

export interface KeyringBackup {
  /** YYYY-MM-DDTHH:MM:SSZ. */
  readonly madeAt: string;
  readonly keyring: Keyring;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** Backup of a keyring that was verified. `madeAt`: YYYY-MM-DDTHH:MM:SSZ. */
export function backupOf(keyring: Keyring, madeAt: string): KeyringBackup {
  return { madeAt, keyring, sha256: digestOf(keyring.shards) };
}

export function printKeyringBackup({ madeAt, keyring, sha256 }: KeyringBackup): string {
  const { root, generation, shards } = keyring;
  const document: z.output<typeof backupSchema> = {
    apiVersion: "sealwright.dev/v1",
    kind: "KeyringBackup",
    madeAt,
    rootId: root.id,
    generation,
    sha256,
    shards: [...shards],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Whole and undamaged; the codes of its shards are not checked yet. Throws `backup_invalid`. */
export function parseKeyringBackup(bytes: Buffer): KeyringBackup {
  const parsed = backupSchema.safeParse(oneSpelling(bytes)?.value);
  if (!parsed.success) throw invalid("no keyring backup");
  const { madeAt, rootId, generation, sha256, shards } = parsed.data;
  const keyring = joined(shards);
  if (digestOf(keyring.shards) !== sha256) throw invalid("damaged: the digest does not fit");
  if (keyring.root.id !== rootId || keyring.generation !== generation)
    throw invalid("its head speaks of another keyring");
  return { madeAt, keyring, sha256 };
}

function joined(shards: readonly unknown[]): Keyring {
  try {
    return joinShards(shards.map((shard) => parseKeyringFile(Buffer.from(JSON.stringify(shard)))));
  } catch (error) {
    throw invalid("the keyring in it is malformed", error);
  }
}

function digestOf(shards: readonly KeyringFile[]): string {
  return hash("sha256", canonicalJson(shards), "hex");
}

function invalid(reason: string, cause?: unknown): SealwrightError {
  return new SealwrightError("backup_invalid", { reason }, cause);
}
