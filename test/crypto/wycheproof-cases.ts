import { readFileSync } from "node:fs";
import { vectorFileOrSkip } from "../rig/vectors.ts";

/** One Wycheproof case with its group's sizes (bits). Which of the hex members are there depends on the file. */
export interface WycheproofCase {
  readonly tcId: number;
  readonly comment: string;
  readonly result: "valid" | "invalid" | "acceptable";
  readonly keySize: number;
  readonly ivSize: number;
  readonly tagSize: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly okm: string;
  readonly size: number;
}

interface WycheproofFile {
  readonly numberOfTests: number;
  readonly testGroups: readonly { readonly tests: readonly WycheproofCase[] }[];
}

/** All cases of a file such as `aes_gcm`. Skips the test without vectors; fails when the file holds fewer than it says. */
export function wycheproofCases(test: Mocha.Context, name: string): readonly WycheproofCase[] {
  const path = vectorFileOrSkip(test, `wycheproof/testvectors_v1/${name}_test.json`);
  const file = JSON.parse(readFileSync(path, "utf8")) as WycheproofFile;
  const cases = file.testGroups.flatMap(({ tests, ...group }) => tests.map((one) => ({ ...group, ...one })));
  if (cases.length === 0 || cases.length !== file.numberOfTests) throw new Error(`${name}: cases are missing`);
  return cases;
}
