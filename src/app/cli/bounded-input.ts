import type { Readable } from "node:stream";
import { SealwrightError } from "../../base/sealwright-error.ts";

/** All bytes of `input`; of an endless one no more than the limit is ever held. Throws `body_too_large`. */
export async function boundedInput(input: Readable, longestBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Leaving the loop ends the stream.
    if (length > longestBytes) throw new SealwrightError("body_too_large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
