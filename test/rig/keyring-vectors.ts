import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { KeyringFile } from "../../src/keys/keyring/keyring-file.ts";

export interface KeyringVector {
  /** 32 bytes in hex. */
  readonly root: string;
  readonly file: KeyringFile;
}

const path = resolve(import.meta.dirname, "../vectors/own-swr1/vectors.json");

/** Keyring files that an independent implementation wrote, with their roots. */
export function keyringVectors(): readonly KeyringVector[] {
  const { keyrings } = JSON.parse(readFileSync(path, "utf8")) as { readonly keyrings: readonly KeyringVector[] };
  if (keyrings.length === 0) throw new Error("no keyring in the vectors");
  return keyrings;
}
