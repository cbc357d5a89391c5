import { existsSync } from "node:fs";
import { resolve } from "node:path";

/**
 * Third-party test vectors are read where they lie, never copied: `../shared/vectors` beside the project, or the folder that
 * the variable SEALWRIGHT_VECTORS names.
 */
const root = process.env["SEALWRIGHT_VECTORS"] ?? resolve(import.meta.dirname, "../../../shared/vectors");

/** Absent vectors fail the run in CI, where `CI` is set; on a developer's machine they are skipped out loud. */
export const requireVectors = (process.env["CI"] ?? "") !== "";

/** Path of the vector file or folder `name` (relative, such as `wycheproof/testvectors_v1/aes_gcm_test.json`), or `undefined`. */
export function vectorFile(name: string): string | undefined {
  const path = resolve(root, name);
  return existsSync(path) ? path : undefined;
}

/**
 * The same for use inside a test: when the vectors are absent it says so and skips the calling test, or fails it where
 * `requireVectors` holds. Never returns `undefined`.
 */
export function vectorFileOrSkip(test: Mocha.Context, name: string): string {
  const path = vectorFile(name);
  if (path !== undefined) return path;
  if (requireVectors) throw new Error(`test vectors are missing: ${name}`);
  process.stderr.write(`SKIPPED, test vectors are missing: ${name}\n`);
  return test.skip();
}
