import { fromBech32, toBech32 } from "./bech32.ts";
import { readSecretFile, secretFileRefused, writeSecretFile } from "../secret-file.ts";

/**
 * A recovery key as people handle it: `swr-recovery-1...` is the recipient (public, it stands in the configuration) and
 * `SWR-RECOVERY-SECRET-1...` the secret, in capitals because it is printed and typed. Both are Bech32 of the 32 bytes of an
 * X25519 key (RFC 7748).
 */
const recipientPrefix = "swr-recovery-";
const secretPrefix = "swr-recovery-secret-";
const keyBytes = 32;
const longestFile = 4096;

/** What a pattern for editors can say; the checksum is `parseRecoveryRecipient`'s. */
export const recoveryRecipientPattern = `^${recipientPrefix}1[02-9ac-hj-np-z]{58}$`;

export function printRecoveryRecipient(publicKey: Uint8Array): string {
  return toBech32(recipientPrefix, publicKey);
}

/** The 32 bytes of the public key; `undefined` = no recipient, or mistyped. */
export function parseRecoveryRecipient(text: string): Buffer | undefined {
  const key = fromBech32(recipientPrefix, text);
  return key?.length === keyBytes ? key : undefined;
}

/** Both halves of a recovery key. */
export interface RecoveryPair {
  readonly publicKey: Buffer;
  /** The caller zeroes it. */
  readonly secret: Buffer;
}

/** Writes the secret, with words that say what it is, into a new file of mode 0600. Gives the recipient. Throws `file_exists`, `key_file`. */
export async function writeRecoverySecret(path: string, { publicKey, secret }: RecoveryPair): Promise<string> {
  const recipient = printRecoveryRecipient(publicKey);
  const lines = [
    "# Sealwright recovery key: SECRET. Keep it offline, printed or on two media, in two safe places.",
    "# Whoever has it and a copy of the keyring opens every value that was ever sealed; without it the copy is no use.",
    `# recipient: ${recipient}`,
    toBech32(secretPrefix, secret).toUpperCase(),
  ];
  await writeSecretFile(path, `${lines.join("\n")}\n`);
  return recipient;
}

/** The secret that the file holds, for the caller to zero; lines that begin with # are remarks. Throws `key_file`. */
export async function readRecoverySecret(path: string): Promise<Buffer> {
  const bytes = await readSecretFile(path, { longest: longestFile, readers: "owner" });
  const lines = bytes
    .toString("utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  bytes.fill(0);
  const [line, ...others] = lines;
  const secret = line === undefined || others.length > 0 ? undefined : fromBech32(secretPrefix, line);
  if (secret?.length !== keyBytes) throw secretFileRefused(path, "no recovery secret, or mistyped");
  return secret;
}
