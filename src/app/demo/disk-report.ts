import type { Checks } from "./checks.ts";
import type { DemoFiles } from "./demo-files.ts";
import type { DiskReport } from "./demo-report.ts";
import { searchDisk } from "./disk-search.ts";

/** Texts that must lie nowhere, and texts that must be found (they were written past Sealwright). */
export interface DiskQuestion {
  readonly secrets: readonly string[];
  readonly controls: readonly string[];
}

/** Searches the store's files, then all that Sealwright wrote. */
export function reportDisk(files: DemoFiles, question: DiskQuestion, checks: Checks): DiskReport {
  const { secrets, controls } = question;
  const store = searchDisk([files.storeData], secrets);
  checks.that("disk: no clear value in the store's files", store.files > 0 && store.hits.length === 0);
  const found = new Set(searchDisk([files.storeData], controls).hits.map(({ text }) => text));
  checks.that("disk: the same search finds what went past Sealwright", found.size === controls.length);
  const own = searchDisk([files.config, files.logs], secrets);
  checks.that("disk: no clear value in Sealwright's logs and files", own.files > 0 && own.hits.length === 0);
  return {
    files: store.files,
    bytes: store.bytes,
    texts: secrets.length,
    hits: store.hits.length,
    controls: found.size,
  };
}
