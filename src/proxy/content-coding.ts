import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  type BrotliDecompress,
  type Gunzip,
  type Inflate,
  type ZstdDecompress,
} from "node:zlib";
import { listMembers } from "./header-lines.ts";

export type Decoder = Gunzip | Inflate | BrotliDecompress | ZstdDecompress;

const decoders = {
  gzip: () => createGunzip(),
  // The zlib format, as RFC 9110 section 8.4.1.2 has it; raw deflate fails as corrupt.
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
} as const satisfies Readonly<Record<string, () => Decoder>>;

export type ContentCoding = keyof typeof decoders;

const codings: ReadonlyMap<string, ContentCoding> = new Map([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  ["br", "br"],
  ["zstd", "zstd"],
]);

export const createDecoder = (coding: ContentCoding): Decoder => decoders[coding]();

/**
 * The one coding of a body (RFC 9110 section 8.4): "identity" for none, `undefined` for an unknown one or for more than one
 * on top of each other.
 */
export function codingOf(contentEncoding: readonly string[]): ContentCoding | "identity" | undefined {
  if (contentEncoding.length === 0) return "identity";
  const applied = listMembers(contentEncoding).filter((coding) => coding !== "identity");
  const [only] = applied;
  if (only === undefined) return "identity";
  return applied.length === 1 ? codings.get(only) : undefined;
}
