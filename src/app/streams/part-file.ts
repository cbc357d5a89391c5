import { access, open, rename, rm, type FileHandle } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { streamStart, type StreamMark } from "../../engine/stream-rewriter.ts";
import { checkpointPath, readCheckpoint, writeCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { MarkedDigest } from "./marked-digest.ts";

export interface PartFileOptions {
  readonly path: string;
  readonly resume: boolean;
  /** Everything that decides what is written. */
  readonly job: string;
  /** The file that is read; `-` cannot be resumed. */
  readonly input: string;
}

/** What has been counted until a mark, for a checkpoint. */
export type CheckpointCounts = Pick<Checkpoint, "failures" | "keys" | "clear">;

/**
 * Output that takes its name only when it is whole: until then it is `PATH.part`, mode 0600, with `PATH.checkpoint` beside it.
 */
export class PartFile {
  /** Of the run that is resumed; absent where nothing is. */
  readonly checkpoint: Checkpoint | undefined;
  readonly #options: PartFileOptions;
  readonly #file: FileHandle;
  readonly #written: MarkedDigest;
  readonly #read: MarkedDigest;
  #at: number;

  private constructor(options: PartFileOptions, file: FileHandle, begun: Begun) {
    this.#options = options;
    this.#file = file;
    this.checkpoint = begun.checkpoint;
    this.#written = begun.written;
    this.#read = begun.read;
    this.#at = this.start.output;
  }

  /**
   * Throws `file_exists` where the output, or the part of an interrupted run that is not resumed, is there; `resume_refused`
   * where what is there is not this run's beginning; `file_unreadable`.
   */
  static async open(options: PartFileOptions): Promise<PartFile> {
    const { path, resume } = options;
    if (await isThere(path)) throw new SealwrightError("file_exists", { file: path });
    const part = partPath(path);
    const begun = resume && (await isThere(part)) ? await verified(options) : nothingBegun();
    const flags = resume && begun.checkpoint !== undefined ? "r+" : resume ? "w" : "wx";
    const file = await writable(part, open(part, flags, 0o600));
    if (begun.checkpoint !== undefined) await file.truncate(begun.checkpoint.mark.output);
    else await rm(checkpointPath(path), { force: true });
    return new PartFile(options, file, begun);
  }

  get start(): StreamMark {
    return this.checkpoint?.mark ?? streamStart;
  }

  /** Told of input in order, from `readFrom` on. */
  hasRead(chunk: Buffer): void {
    this.#read.push(chunk);
  }

  async write(pieces: readonly Buffer[]): Promise<void> {
    const bytes = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    if (bytes === undefined || bytes.length === 0) return;
    for (let from = 0; from < bytes.length;) {
      const { bytesWritten } = await writable(
        partPath(this.#options.path),
        this.#file.write(bytes, from, bytes.length - from, this.#at),
      );
      from += bytesWritten;
      this.#at += bytesWritten;
    }
    this.#written.push(bytes);
  }

  /** Everything up to `mark` has been written. */
  advance(mark: StreamMark): void {
    this.#read.advance(mark.input);
    this.#written.advance(mark.output);
  }

  /** `mark`: the last one that `advance` was told. */
  async save(mark: StreamMark, counts: CheckpointCounts): Promise<void> {
    await this.#file.datasync();
    await writeCheckpoint(checkpointPath(this.#options.path), {
      apiVersion: "sealwright.dev/v1",
      kind: "StreamCheckpoint",
      job: this.#options.job,
      mark,
      inputDigest: this.#read.hex(),
      outputDigest: this.#written.hex(),
      ...counts,
    });
  }

  /** Gives the output its name. */
  async finish(): Promise<void> {
    const { path } = this.#options;
    await writable(partPath(path), this.#file.sync());
    if (await isThere(path)) throw new SealwrightError("file_exists", { file: path });
    await writable(path, rename(partPath(path), path));
    await rm(checkpointPath(path), { force: true });
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

interface Begun {
  readonly checkpoint: Checkpoint | undefined;
  readonly read: MarkedDigest;
  readonly written: MarkedDigest;
}

function nothingBegun(): Begun {
  return { checkpoint: undefined, read: new MarkedDigest(), written: new MarkedDigest() };
}

function partPath(path: string): string {
  return `${path}.part`;
}

async function verified({ path, job, input }: PartFileOptions): Promise<Begun> {
  const checkpoint = await readCheckpoint(checkpointPath(path));
  if (checkpoint === undefined) return nothingBegun();
  const refused = (reason: string): SealwrightError => new SealwrightError("resume_refused", { file: path, reason });
  if (checkpoint.job !== job) throw refused("other options");
  const read = await digested(input, checkpoint.mark.input);
  if (read.hex() !== checkpoint.inputDigest) throw refused("the input has changed");
  const written = await digested(partPath(path), checkpoint.mark.output);
  if (written.hex() !== checkpoint.outputDigest) throw refused("the output has changed");
  return { checkpoint, read, written };
}

async function digested(path: string, bytes: number): Promise<MarkedDigest> {
  const digest = new MarkedDigest();
  if (bytes === 0) return digest;
  let read = 0;
  try {
    for await (const chunk of createReadStream(path, { end: bytes - 1 }) as AsyncIterable<Buffer>) {
      digest.push(chunk);
      read += chunk.length;
      digest.advance(read);
    }
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
  return digest;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function writable<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    const reason = exists ? "an interrupted run" : "cannot be written";
    throw new SealwrightError(exists ? "file_exists" : "file_unreadable", { file: path, reason }, error);
  });
}
