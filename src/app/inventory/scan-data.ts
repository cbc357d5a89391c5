import { asSealwrightError, hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import type { ScanCoverage } from "../../keys/life-cycle/key-sightings.ts";
import { dataFiles, type DataFile } from "./data-files.ts";
import { fileBytes } from "./file-bytes.ts";
import { FoundKeys } from "./found-keys.ts";
import { TokenSearch } from "./token-search.ts";
import { sealedPrefix } from "../../crypto/sealed-value.ts";

/** The prefix in UTF-16 of either byte order, which no search finds a value by. */
const widePrefix = Buffer.from(sealedPrefix, "utf16le").subarray(0, -1);

/** What a scan tells of while it runs. */
export interface ScanWatch {
  progress(scanned: ScanProgress): void;
  /** A file that was not read to its end. `code`: of the error table, or the system's. */
  unreadable(path: string, code: string): void;
}

export interface ScanProgress {
  readonly files: number;
  readonly bytes: number;
  readonly values: number;
}

/** What the data holds. */
export interface DataScan {
  readonly keys: FoundKeys;
  readonly bytes: number;
  readonly coverage: ScanCoverage;
}

/**
 * Looks for sealed values in all files that `paths` name, whatever their format. Memory is bounded however large they are. A file
 * that cannot be read to its end is told and counted, since what it holds is not known; so is a path without any file, which may
 * be a volume that is not mounted. Throws `file_unreadable` for a path that
 * is not there.
 */
export async function scanData(paths: readonly string[], watch: ScanWatch): Promise<DataScan> {
  const scan = new Scan(watch);
  for (const path of paths) {
    let files = 0;
    for await (const file of dataFiles(path)) {
      files += 1;
      await scan.read(file);
    }
    if (files === 0) scan.missed(path, "no file in it");
  }
  return scan.result();
}

class Scan {
  readonly #keys = new FoundKeys();
  readonly #watch: ScanWatch;
  #bytes = 0;
  #files = 0;
  #unreadable = 0;
  #newest: number | undefined;

  constructor(watch: ScanWatch) {
    this.#watch = watch;
  }

  async read(file: DataFile): Promise<void> {
    this.#files += 1;
    this.#newest = Math.max(this.#newest ?? 0, file.writtenAt);
    try {
      await this.#search(file);
    } catch (error) {
      this.missed(file.path, codeOf(error));
    }
  }

  /** What `path` holds is not known. */
  missed(path: string, why: string): void {
    this.#unreadable += 1;
    this.#watch.unreadable(path, why);
  }

  result(): DataScan {
    const newest = this.#newest === undefined ? {} : { newest: this.#newest };
    return {
      keys: this.#keys,
      bytes: this.#bytes,
      // A key that found no room might be any: as if part of the data had not been read.
      coverage: { files: this.#files, ...newest, unreadable: this.#unreadable + (this.#keys.beyond > 0 ? 1 : 0) },
    };
  }

  async #search({ path, writtenAt, leadsOut }: DataFile): Promise<void> {
    if (leadsOut === true)
      throw new SealwrightError("file_unreadable", { file: path, reason: "a link out of the folder" });
    const search = new TokenSearch((key) => this.#keys.add(key, writtenAt));
    let tail: Buffer = Buffer.alloc(0);
    for await (const chunk of await fileBytes(path)) {
      search.push(chunk);
      const wide = chunk.includes(widePrefix) || Buffer.concat([tail, chunk.subarray(0, 16)]).includes(widePrefix);
      if (wide) throw new SealwrightError("file_unreadable", { file: path, reason: "text in UTF-16" });
      tail = Buffer.concat([tail, chunk.subarray(-widePrefix.length)]).subarray(-widePrefix.length);
      this.#bytes += chunk.length;
      this.#watch.progress({ files: this.#files, bytes: this.#bytes, values: this.#keys.values });
    }
    search.end();
  }
}

function codeOf(error: unknown): string {
  if (hasCode(error, "file_unreadable") && error.facts.reason !== undefined) return error.facts.reason;
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return asSealwrightError(error).code;
}
