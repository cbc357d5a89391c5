import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { SealwrightError } from "../../base/sealwright-error.ts";

/** What failed, a JSON line each, in a file that must not exist unless a run is resumed. Holds places and codes, no data. */
export class FailureList {
  readonly #file: number;
  /** Heard of and not written: a run that is resumed before them will hear of them again. */
  #pending: SealwrightError[] = [];
  count: number;
  bytes: number;

  private constructor(file: number, before: { readonly count: number; readonly bytes: number }) {
    this.#file = file;
    this.count = before.count;
    this.bytes = before.bytes;
  }

  /** A new file. Throws `file_exists`, `file_unreadable`. */
  static create(path: string): FailureList {
    return new FailureList(opened(path, "wx"), { count: 0, bytes: 0 });
  }

  /**
   * The file of an interrupted run, from its checkpoint on; absent = there was none, and it begins anew. Throws `file_unreadable`,
   * `resume_refused` where it holds less than the checkpoint knows of.
   */
  static resume(path: string, before?: { readonly count: number; readonly bytes: number }): FailureList {
    const file = opened(path, before === undefined ? "w" : "r+");
    if (before !== undefined) {
      if (fstatSync(file).size < before.bytes) {
        closeSync(file);
        throw new SealwrightError("resume_refused", { file: path, reason: "the list of failures has lost its end" });
      }
      ftruncateSync(file, before.bytes);
    }
    return new FailureList(file, before ?? { count: 0, bytes: 0 });
  }

  add(error: SealwrightError): void {
    this.#pending.push(error);
  }

  /** Writes what stands before `position`; absent = everything. */
  advance(position = Number.POSITIVE_INFINITY): void {
    if (this.#pending.length === 0) return;
    const place = ({ facts }: SealwrightError): number => facts.position ?? 0;
    const reached = this.#pending.filter((error) => place(error) < position);
    this.#pending = this.#pending.filter((error) => place(error) >= position);
    for (const error of reached) this.#write(error);
  }

  #write({ code, facts: { line, position, field, reason, keyId } }: SealwrightError): void {
    const text = Buffer.from(`${JSON.stringify({ code, line, position, field, reason, keyId })}\n`);
    // At its place, so that what an interrupted run wrote after its checkpoint is written over.
    writeSync(this.#file, text, 0, text.length, this.bytes);
    this.bytes += text.length;
    this.count += 1;
  }

  close(): void {
    closeSync(this.#file);
  }
}

function opened(path: string, flags: "wx" | "w" | "r+"): number {
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw new SealwrightError(exists ? "file_exists" : "file_unreadable", { file: path }, error);
  }
}
