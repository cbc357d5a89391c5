import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { vectorFileOrSkip } from "../rig/vectors.ts";

/** One file of JSONTestSuite (RFC 8259): y_ must be accepted, n_ refused, i_ is the reader's choice. */
export interface SuiteFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly accepted: boolean;
}

/** RFC 8259 lets them pass; here no object may name a key twice. */
const duplicates = new Set(["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"]);

/**
 * The choice for `i_` files: numbers of any size pass as text, and escapes of lone surrogates pass outside mapped values;
 * everything else (other encodings, invalid UTF-8, a byte order mark, 500 levels) is refused.
 */
const acceptedChoices =
  /^i_(number_|object_key_lone_2nd_surrogate|string_(1st_surrogate|1st_valid|incomplete_surrogate|incomplete_surrogates_escape|invalid_lonely|invalid_surrogate|inverted_surrogates|lone_second))/u;

/** All files whose name starts with `prefix`; skips the calling test out loud where the suite is absent. */
export function suiteFiles(test: Mocha.Context, prefix: string): readonly SuiteFile[] {
  const folder = vectorFileOrSkip(test, "json-testsuite/test_parsing");
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix) && name.endsWith(".json"));
  if (names.length === 0) throw new Error(`JSONTestSuite has no ${prefix} files`);
  return names.map((name) => ({
    name,
    bytes: readFileSync(join(folder, name)),
    accepted: name.startsWith("y_") ? !duplicates.has(name) : acceptedChoices.test(name),
  }));
}
