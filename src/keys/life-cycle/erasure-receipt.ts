import { z } from "zod";
import { fromBase64url } from "../../base/bytes.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { oneSpelling } from "../keyring/one-spelling.ts";

/**
 * What `keys destroy` gives to keep: which key was destroyed, when and by which command, with a value that nobody can open since.
 *
 *     mac = base64url(HMAC-SHA-256(HKDF(root, "sealwright/v1 erasure receipt", 32), RFC 8785 bytes of the receipt without `mac`))
 */
const hexId = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const name = z.string().regex(/^[\x21-\x7e]{1,128}$/);
const generation = z.int().min(1);

const receiptSchema = z.strictObject({
  apiVersion: z.literal("sealwright.dev/v1"),
  kind: z.literal("ErasureReceipt"),
  rootId: hexId,
  key: z.strictObject({
    id: hexId,
    use: z.enum(["randomized", "deterministic"]),
    scope: z.strictObject({ tenant: z.exactOptional(name), dataset: z.exactOptional(name) }),
    createdAt: time,
    retiredAt: time,
  }),
  command: z.literal("keys destroy"),
  destroyedAt: time,
  /** Of the shard that held the key: the last that had its wraps, and the first that has not. */
  generation: z.strictObject({ before: generation, after: generation }),
  /** The wraps that went, by digest: SHA-256(LP(kek) | LP(wrapped) | LP(context bytes)) in base64. */
  wraps: z.array(z.strictObject({ kek: z.string().regex(/^[a-z0-9-]{1,63}$/), digest: z.string().max(64) })).min(1),
  /** A value sealed under the key just before, and what opening it came to before and after. */
  probe: z.strictObject({
    value: z.string().max(512),
    before: z.literal("opened"),
    after: z.string().regex(/^[a-z_]{1,40}$/),
  }),
  mac: z.string().refine((text) => fromBase64url(text)?.length === 32),
});

export type ErasureReceipt = z.output<typeof receiptSchema>;
export type ReceiptContent = Omit<ErasureReceipt, "mac">;

/** Throws `receipt_invalid`. The code is not checked yet. */
export function parseErasureReceipt(bytes: Buffer): ErasureReceipt {
  const parsed = receiptSchema.safeParse(oneSpelling(bytes)?.value);
  if (!parsed.success) throw new SealwrightError("receipt_invalid", { reason: "no erasure receipt" });
  return parsed.data;
}

export function printErasureReceipt(receipt: ErasureReceipt): string {
  return `${JSON.stringify(receipt, undefined, 2)}\n`;
}
