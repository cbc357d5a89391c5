import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline, type Duplex } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { SealwrightError } from "../../base/sealwright-error.ts";

const chunkBytes = 256 * 1024;

interface Packing {
  readonly magic: string;
  /** Absent = cannot be read here. */
  readonly unpack?: () => Duplex;
}

/** How files begin that hide their text, in hexadecimal. */
const packings: readonly Packing[] = [
  { magic: "1f8b", unpack: createGunzip },
  { magic: "28b52ffd", unpack: createZstdDecompress },
  { magic: "fd377a585a00" },
  { magic: "425a68" },
  { magic: "504b0304" },
  { magic: "04224d18" },
  // Text in UTF-16.
  { magic: "fffe" },
  { magic: "feff" },
];

/**
 * The bytes of a file, unpacked where gzip or Zstandard packed it. Throws `file_unreadable`, also for a file in another
 * packing or in UTF-16: nothing in it would be found.
 */
export async function fileBytes(path: string): Promise<AsyncIterable<Buffer>> {
  const beginning = await beginningOf(path);
  const packing = packings.find(({ magic }) => beginning.startsWith(magic));
  const raw = createReadStream(path, { highWaterMark: chunkBytes });
  if (packing === undefined) return raw as AsyncIterable<Buffer>;
  if (packing.unpack === undefined) {
    raw.destroy();
    throw new SealwrightError("file_unreadable", { file: path, reason: "a form that is not read here" });
  }
  // Whoever reads its end hears of every failure.
  return pipeline(raw, packing.unpack(), () => undefined) as AsyncIterable<Buffer>;
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(8), 0, 8, 0);
    return buffer.toString("hex", 0, bytesRead);
  } finally {
    await file.close();
  }
}
