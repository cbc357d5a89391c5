import { z } from "zod";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { ownedCopy } from "../owned-bytes.ts";
import { parseVaultCiphertext } from "./vault-ciphertext.ts";

/*
 * Messages of the transit engine, version 1 of the API: bytes in base64 with padding.
 *
 *   datakey/plaintext  { context, bits: 256 }       -> { data: { plaintext, ciphertext, key_version } }
 *   encrypt            { context, plaintext }       -> { data: { ciphertext, key_version } }
 *   decrypt            { context, ciphertext }      -> { data: { plaintext } }
 *   rewrap             { context, ciphertext }      -> { data: { ciphertext, key_version } }
 */

const keyBytes = 32;

const bytes = z.string().transform((text, context): Buffer => {
  const decoded = Buffer.from(text, "base64");
  const owned = ownedCopy(decoded);
  decoded.fill(0);
  if (owned.length === keyBytes && owned.toString("base64") === text) return owned;
  owned.fill(0);
  context.addIssue("key");
  return z.NEVER;
});

const opened = z.object({ data: z.object({ plaintext: bytes }) });

const wrapped = z
  .object({ data: z.object({ ciphertext: z.string(), key_version: z.int().optional() }) })
  .transform(({ data }, context): Buffer => {
    const parsed = parseVaultCiphertext(data.ciphertext);
    const version = data.key_version ?? parsed?.keyVersion;
    if (parsed !== undefined && parsed.keyVersion === version) return Buffer.from(parsed.text, "latin1");
    context.addIssue("ciphertext");
    return z.NEVER;
  });

/** The 32-byte key of an answer; the caller zeroes it. Throws `kms_broken`. */
export function readVaultKey(answer: unknown): Buffer {
  const parsed = opened.safeParse(answer);
  if (!parsed.success) throw broken("no key in the answer");
  return parsed.data.data.plaintext;
}

/** The wrapped key of an answer. Throws `kms_broken`, also where the version said is another than the one in the ciphertext. */
export function readVaultWrapped(answer: unknown): Buffer {
  const parsed = wrapped.safeParse(answer);
  if (!parsed.success) throw broken("no wrapped key in the answer");
  return parsed.data;
}

function broken(reason: string): SealwrightError {
  return new SealwrightError("kms_broken", { reason });
}
