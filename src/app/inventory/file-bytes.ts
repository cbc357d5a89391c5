import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from "node:zlib";
import { SealwrightError } from "../../base/sealwright-error.ts";

const chunkBytes = 256 * 1024;

interface Packing {
  readonly magic: string;
  /** Absent = cannot be read here. */
  readonly unpack?: () => Gunzip | ZstdDecompress;
}

/** How files begin that hide their text, in hexadecimal. */
const packings: readonly Packing[] = [
  { magic: "1f8b", unpack: createGunzip },
  { magic: "28b52ffd", unpack: createZstdDecompress },
  // xz, bzip2, zip, LZ4, 7-Zip, lzip, compress, framed Snappy, and skippable frames before Zstandard's.
  { magic: "fd377a585a00" },
  { magic: "425a68" },
  { magic: "504b0304" },
  { magic: "04224d18" },
  { magic: "377abcaf271c" },
  { magic: "4c5a4950" },
  { magic: "1f9d" },
  { magic: "ff060000734e6150" },
  ...Array.from({ length: 16 }, (_, low) => ({ magic: `5${low.toString(16)}2a4d18` })),
  // Dumps and tables that pack what they hold: pg_dump's own formats, Redis, Parquet, ORC, Avro.
  { magic: "5047444d50" },
  { magic: "5245444953" },
  { magic: "50415231" },
  { magic: "4f5243" },
  { magic: "4f626a01" },
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
  const unpacked = packing.unpack();
  // Whoever reads its end hears of every failure.
  const bytes = pipeline(raw, unpacked, () => undefined) as AsyncIterable<Buffer>;
  return toItsEnd(bytes, () => unpacked.bytesWritten === raw.bytesRead, path);
}

/** What follows the packed part is passed over in silence by those who unpack. */
async function* toItsEnd(bytes: AsyncIterable<Buffer>, isAll: () => boolean, file: string): AsyncGenerator<Buffer> {
  yield* bytes;
  if (!isAll()) throw new SealwrightError("file_unreadable", { file, reason: "more behind what is packed" });
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
