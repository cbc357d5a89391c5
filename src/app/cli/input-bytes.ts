import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { SealwrightError } from "../../base/sealwright-error.ts";

const chunkBytes = 256 * 1024;

/** The bytes of a file from a byte on, or of stdin where `file` is `-`. Throws `file_unreadable`. */
export async function* inputBytes(file: string, from: number): AsyncGenerator<Buffer> {
  const input: Readable =
    file === "-" ? process.stdin : createReadStream(file, { start: from, highWaterMark: chunkBytes });
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: file === "-" ? "stdin" : file }, error);
  }
}
