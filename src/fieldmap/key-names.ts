import { SealwrightError } from "../base/sealwright-error.ts";

/**
 * How names are compared. `exact`: byte for byte once decoded. `refuseVariants`: the same, and what differs only by case
 * throws `name_case`. `ignoreCase`: case variants are the same name.
 */
export type NamePolicy = "exact" | "refuseVariants" | "ignoreCase";

/** The one spelling that all case variants of a name share. No normalisation: look-alikes stay other names. */
export function foldCase(name: string): string {
  // Most names are: for them one pass says the same.
  if (/^[\u0020-\u007e]*$/.test(name)) return name.toLowerCase();
  return name.toLowerCase().toUpperCase().toLowerCase();
}

/** A member's name as text, from its bytes between the quotes. Throws `json_invalid` for what no JSON string may hold. */
export function decodeName(bytes: Buffer, start: number, end: number): string {
  try {
    return JSON.parse(`"${bytes.toString("utf8", start, end)}"`) as string;
  } catch (error) {
    throw new SealwrightError("json_invalid", { reason: "malformed name" }, error);
  }
}

/** Above this, looking a name up as text is faster than comparing bytes one candidate after the other. */
const fewCandidates = 8;

interface Candidate {
  readonly bytes: Buffer;
  readonly value: number;
}

/** The names that matter at one place of a document, with a number for each. Built for being asked once per member. */
export class NameTable {
  readonly #policy: NamePolicy;
  readonly #exact = new Map<string, number>();
  readonly #folded = new Map<string, number>();
  /** By length in bytes: UTF-8 of the names, and of those folded names that are ASCII. */
  readonly #exactByLength: (Candidate[] | undefined)[] = [];
  readonly #foldedByLength: (Candidate[] | undefined)[] = [];

  constructor(names: ReadonlyMap<string, number>, policy: NamePolicy) {
    this.#policy = policy;
    for (const [name, value] of names) {
      this.#exact.set(name, value);
      place(this.#exactByLength, { bytes: Buffer.from(name, "utf8"), value });
      const folded = foldCase(name);
      if (this.#folded.has(folded)) continue;
      this.#folded.set(folded, value);
      const bytes = Buffer.from(folded, "utf8");
      if (bytes.length === folded.length) place(this.#foldedByLength, { bytes, value });
    }
  }

  /** The number of the name `bytes[start, end)`, or -1. Throws `name_case`. */
  find(bytes: Buffer, start: number, end: number, escaped: boolean): number {
    if (escaped) return this.findText(decodeName(bytes, start, end));
    const length = end - start;
    if (Math.max(this.#exactByLength[length]?.length ?? 0, this.#foldedByLength[length]?.length ?? 0) > fewCandidates)
      return this.findText(bytes.toString("utf8", start, end));
    if (this.#policy !== "ignoreCase") {
      for (const candidate of this.#exactByLength[length] ?? []) {
        if (sameBytes(candidate.bytes, bytes, start)) return candidate.value;
      }
      if (this.#policy === "exact") return -1;
    }
    if (!isAscii(bytes, start, end)) return this.findText(bytes.toString("utf8", start, end));
    for (const candidate of this.#foldedByLength[length] ?? []) {
      if (sameFoldedBytes(candidate.bytes, bytes, start)) return this.#variant(candidate.value);
    }
    return -1;
  }

  /** The same for a decoded name. */
  findText(name: string): number {
    if (this.#policy !== "ignoreCase") {
      const exact = this.#exact.get(name);
      if (exact !== undefined) return exact;
      if (this.#policy === "exact") return -1;
    }
    const variant = this.#folded.get(foldCase(name));
    return variant === undefined ? -1 : this.#variant(variant);
  }

  #variant(value: number): number {
    if (this.#policy === "ignoreCase") return value;
    throw new SealwrightError("name_case", { reason: "differs by case from a name of the field map" });
  }
}

function place(byLength: (Candidate[] | undefined)[], candidate: Candidate): void {
  const { length } = candidate.bytes;
  while (byLength.length <= length) byLength.push(undefined);
  (byLength[length] ??= []).push(candidate);
}

function sameBytes(expected: Buffer, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < expected.length; i += 1) {
    if (expected[i] !== bytes[start + i]) return false;
  }
  return true;
}

function sameFoldedBytes(folded: Buffer, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < folded.length; i += 1) {
    const byte = bytes[start + i] ?? 0;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== folded[i]) return false;
  }
  return true;
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    if ((bytes[i] ?? 0) >= 0x80) return false;
  }
  return true;
}
