import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";

/** What every canary begins with: to look for this is to look for all of them. */
export const canaryRoot = "CANARY-078051120";

/** Text that stands nowhere else. */
export const newCanary = (): string => `${canaryRoot}-${randomBytes(4).toString("hex")}`;

/** A name and the bytes to look through. */
export interface Haystack {
  readonly where: string;
  readonly bytes: Buffer;
}

export interface Finding {
  readonly where: string;
  /** How it was spelled there. */
  readonly form: string;
}

/**
 * Looks for each target in every spelling it could hide in. Text: raw, JSON escapes, percent escapes, hex, UTF-16 both ways,
 * base64 and base64url at each of the three alignments. Bytes such as a data key: raw, hex, base64, base64url. All of that
 * again inside whatever gzip, zlib, deflate, brotli or zstd gives.
 */
export function search(haystacks: readonly Haystack[], targets: readonly (string | Buffer)[]): Finding[] {
  const needles = targets.flatMap((target) =>
    typeof target === "string"
      ? textNeedles(target)
      : [{ form: "raw bytes", bytes: target }, ...encodedNeedles(target)],
  );
  return haystacks.flatMap(({ where, bytes }) =>
    layersOf(bytes).flatMap((layer) =>
      needles
        .filter((needle) => layer.bytes.includes(needle.bytes))
        .map((needle) => ({ where, form: layer.form === "" ? needle.form : `${needle.form} in ${layer.form}` })),
    ),
  );
}

interface Needle {
  readonly form: string;
  readonly bytes: Buffer;
}

function textNeedles(text: string): Needle[] {
  const littleEndian = Buffer.from(text, "utf16le");
  return [
    { form: "raw", bytes: Buffer.from(text) },
    { form: "UTF-16LE", bytes: littleEndian },
    { form: "UTF-16BE", bytes: Buffer.from(littleEndian).swap16() },
    ...encodedNeedles(Buffer.from(text)),
    ...encodedNeedles(littleEndian).map((needle) => ({ ...needle, form: `${needle.form} of UTF-16LE` })),
  ];
}

function encodedNeedles(bytes: Buffer): Needle[] {
  const alignments = [0, 1, 2].flatMap((shift) => {
    // Characters that only bytes of the text decide: whole groups of three, from the shift on.
    const inner = bytes.subarray(shift, shift + Math.floor((bytes.length - shift) / 3) * 3);
    return [
      { form: `base64 at ${shift}`, bytes: Buffer.from(inner.toString("base64")) },
      { form: `base64url at ${shift}`, bytes: Buffer.from(inner.toString("base64url")) },
    ];
  });
  return [
    { form: "hex", bytes: Buffer.from(bytes.toString("hex")) },
    { form: "HEX", bytes: Buffer.from(bytes.toString("hex").toUpperCase()) },
    ...alignments,
  ];
}

/** The bytes themselves, unescaped, and decompressed as far as anything decompresses them. */
function layersOf(bytes: Buffer): Needle[] {
  const plain = { form: "", bytes };
  const text = bytes.toString("latin1");
  const unescaped = text
    .replace(/\\u([0-9a-fA-F]{4})/gu, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replace(/%([0-9a-fA-F]{2})/gu, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  const inflated = decompressors.flatMap(({ form, magic, run }) => {
    if (magic !== undefined && !bytes.subarray(0, magic.length).equals(magic)) return [];
    try {
      return [{ form, bytes: run(bytes) }];
    } catch {
      return [];
    }
  });
  return [
    plain,
    ...(unescaped === text ? [] : [{ form: "escapes", bytes: Buffer.from(unescaped, "latin1") }]),
    ...inflated,
  ];
}

const limit = { maxOutputLength: 64 * 1024 * 1024 };

const decompressors = [
  { form: "gzip", magic: Buffer.from([0x1f, 0x8b]), run: (bytes: Buffer) => gunzipSync(bytes, limit) },
  {
    form: "zstd",
    magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
    run: (bytes: Buffer) => zstdDecompressSync(bytes, limit),
  },
  { form: "zlib", magic: undefined, run: (bytes: Buffer) => inflateSync(bytes, limit) },
  { form: "deflate", magic: undefined, run: (bytes: Buffer) => inflateRawSync(bytes, limit) },
  { form: "brotli", magic: undefined, run: (bytes: Buffer) => brotliDecompressSync(bytes, limit) },
];

/** Every file below `folder`. */
export function filesBelow(folder: string): Haystack[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ where: path, bytes: readFileSync(path) }));
}
