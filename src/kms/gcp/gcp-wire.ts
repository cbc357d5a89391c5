import { z } from "zod";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { crc32c } from "./crc32c.ts";
import { ownedCopy } from "../owned-bytes.ts";

/*
 * Messages of Cloud KMS, v1, in proto3 JSON: bytes in base64 with padding, int64 as text, false left out.
 *
 *   encrypt   { plaintext, plaintextCrc32c, additionalAuthenticatedData, additionalAuthenticatedDataCrc32c }
 *          -> { name, ciphertext, ciphertextCrc32c, verifiedPlaintextCrc32c, verifiedAdditionalAuthenticatedDataCrc32c,
 *               protectionLevel }
 *   decrypt   { ciphertext, ciphertextCrc32c, additionalAuthenticatedData, additionalAuthenticatedDataCrc32c }
 *          -> { plaintext, plaintextCrc32c, usedPrimary, protectionLevel }
 *
 * An answer to encrypt says with `verified...` that the service got what was sent; decrypt is refused where it did not.
 */

const bytes = z.string().transform((text, context): Buffer => {
  const decoded = Buffer.from(text, "base64");
  const owned = ownedCopy(decoded);
  decoded.fill(0);
  if (owned.toString("base64") === text) return owned;
  context.addIssue("base64");
  return z.NEVER;
});

/** Text by the book; a number, as some proxies print it, says the same. */
const checksum = z.union([z.string().regex(/^(0|[1-9][0-9]{0,9})$/), z.int()]).transform(Number);

const protectionLevel = z
  .string()
  .regex(/^[A-Z_]{1,40}$/)
  .optional();

const encrypted = z.object({
  name: z.string(),
  ciphertext: bytes,
  ciphertextCrc32c: checksum,
  verifiedPlaintextCrc32c: z.literal(true),
  verifiedAdditionalAuthenticatedDataCrc32c: z.literal(true),
  protectionLevel,
});

const decrypted = z.object({ plaintext: bytes, plaintextCrc32c: checksum, protectionLevel });

/** What a body to encrypt or decrypt is sent as. */
export function gcpMessage(member: "plaintext" | "ciphertext", body: Buffer, context: Buffer): Buffer {
  return Buffer.from(
    JSON.stringify({
      [member]: body.toString("base64"),
      [`${member}Crc32c`]: String(crc32c(body)),
      additionalAuthenticatedData: context.toString("base64"),
      additionalAuthenticatedDataCrc32c: String(crc32c(context)),
    }),
  );
}

export interface GcpEncrypted {
  /** The key version that was used. */
  readonly name: string;
  readonly ciphertext: Buffer;
  readonly protectionLevel?: string | undefined;
}

export interface GcpDecrypted {
  /** The caller zeroes it. */
  readonly plaintext: Buffer;
  readonly protectionLevel?: string | undefined;
}

/** Throws `kms_broken` for what is no such answer or was damaged on its way there or back. */
export function readEncrypted(answer: unknown): GcpEncrypted {
  const parsed = encrypted.safeParse(answer);
  if (!parsed.success) throw broken("form of the answer");
  if (parsed.data.ciphertext.length === 0) throw broken("no wrapped key in the answer");
  if (crc32c(parsed.data.ciphertext) !== parsed.data.ciphertextCrc32c) throw broken("checksum");
  return parsed.data;
}

/** Throws `kms_broken` as `readEncrypted`. */
export function readDecrypted(answer: unknown): GcpDecrypted {
  const parsed = decrypted.safeParse(answer);
  if (!parsed.success) throw broken("form of the answer");
  const { plaintext, plaintextCrc32c } = parsed.data;
  if (crc32c(plaintext) === plaintextCrc32c) return parsed.data;
  plaintext.fill(0);
  throw broken("checksum");
}

function broken(reason: string): SealwrightError {
  return new SealwrightError("kms_broken", { reason });
}
