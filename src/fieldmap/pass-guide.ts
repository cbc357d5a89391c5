import { SealwrightError } from "../base/sealwright-error.ts";
import { decodeName, NameTable, type NamePolicy } from "./key-names.ts";
import type { PlanGuide } from "./types.ts";

const dot = 0x2e;

/**
 * Guide for requests that pass as they are: it follows every member and throws `mapped_name` for a key equal to one of
 * `names`, or with one among its parts between dots (query languages write `contacts.phone`); under `refuseVariants` a case
 * variant throws `name_case`.
 */
export function passGuide(names: readonly string[], policy: NamePolicy): PlanGuide {
  const table = new NameTable(new Map(names.map((name, index) => [name, index])), policy);

  const isMapped = (bytes: Buffer, start: number, end: number, escaped: boolean): boolean => {
    if (!escaped && !hasDot(bytes, start, end)) return table.find(bytes, start, end, false) !== -1;
    const name = escaped ? decodeName(bytes, start, end) : bytes.toString("utf8", start, end);
    return [name, ...name.split(".")].some((part) => table.findText(part) !== -1);
  };

  return Object.freeze({
    root: 1,
    member(_state: number, bytes: Buffer, start: number, end: number, escaped: boolean): number {
      if (isMapped(bytes, start, end, escaped)) {
        throw new SealwrightError("mapped_name", { reason: "a key names a mapped field" });
      }
      return 1;
    },
    element: () => 1,
  });
}

function hasDot(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    if (bytes[i] === dot) return true;
  }
  return false;
}
