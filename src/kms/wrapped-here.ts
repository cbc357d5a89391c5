import type { KmsContext } from "./context.ts";
import type { GeneratedKey, Kms } from "./kms.ts";
import { randomKey } from "./random-key.ts";

/** A data key of this process's own generator, for services that make none: wrapped, or zeroed. Throws what `kms.wrap` throws. */
export async function generateHere(kms: Pick<Kms, "wrap">, context: KmsContext): Promise<GeneratedKey> {
  const plaintext = randomKey();
  try {
    return { plaintext, wrapped: await kms.wrap(plaintext, context) };
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
}

/** Unwrapped and wrapped, for services that have no call for both. Throws what the two throw. */
export async function rewrapHere(
  kms: Pick<Kms, "unwrap" | "wrap">,
  wrapped: Buffer,
  context: KmsContext,
): Promise<Buffer> {
  const plaintext = await kms.unwrap(wrapped, context);
  try {
    return await kms.wrap(plaintext, context);
  } finally {
    plaintext.fill(0);
  }
}
