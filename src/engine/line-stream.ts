import { SealwrightError } from "../base/sealwright-error.ts";
import type { BodyRewriter } from "./engine.ts";
import type { StreamMark, StreamRewriter } from "./stream-rewriter.ts";

export interface LineStreamSettings {
  readonly start: StreamMark;
  /** A rewriter for one line, from 1. */
  readonly body: (line: number) => BodyRewriter;
  readonly longestLine: number;
  /** Hears why a line cannot be rewritten; true = it leaves as it came. */
  readonly keepLine: (error: SealwrightError) => boolean;
}

const lineFeed = 0x0a;

/**
 * Newline-delimited JSON, each line a document of its own. Line ends stay as they are (LF, CRLF, none at the end), blank lines
 * too. Holds one line at most. Errors carry the line, from 1; their position counts from the line's beginning.
 */
export class LineStream implements StreamRewriter {
  readonly readFrom: number;
  readonly #settings: LineStreamSettings;
  #chunk: Buffer = Buffer.alloc(0);
  #from = 0;
  /** The beginning of a line whose end has not come. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #out: Buffer[] = [];
  #mark: StreamMark;
  #current: BodyRewriter | undefined;

  constructor(settings: LineStreamSettings) {
    this.#settings = settings;
    this.#mark = settings.start;
    this.readFrom = settings.start.input;
  }

  get mark(): StreamMark {
    return this.#mark;
  }

  write(chunk: Buffer): void | Promise<void> {
    this.#chunk = chunk;
    this.#from = 0;
    return this.#advance();
  }

  end(): void | Promise<void> {
    return this.#begunBytes === 0 ? undefined : this.#rewrite(this.#takeBegun());
  }

  take(): Buffer[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  close(): void {
    this.#current?.close();
  }

  #advance(): void | Promise<void> {
    for (;;) {
      const end = this.#chunk.indexOf(lineFeed, this.#from) + 1;
      const rest = this.#chunk.subarray(this.#from, end === 0 ? this.#chunk.length : end);
      this.#begin(rest);
      if (end === 0) return undefined;
      this.#from = end;
      const rewriting = this.#rewrite(this.#takeBegun());
      if (rewriting !== undefined) return rewriting.then(() => this.#advance());
    }
  }

  #begin(part: Buffer): void {
    this.#begunBytes += part.length;
    if (this.#begunBytes > this.#settings.longestLine)
      throw new SealwrightError("body_too_large", { line: this.#mark.lines + 1, reason: "one line" });
    if (part.length > 0) this.#begun.push(part);
  }

  #takeBegun(): Buffer {
    const [only, ...more] = this.#begun;
    const line = only !== undefined && more.length === 0 ? only : Buffer.concat(this.#begun);
    this.#begun = [];
    this.#begunBytes = 0;
    return line;
  }

  #rewrite(line: Buffer): void | Promise<void> {
    if (isBlank(line)) {
      this.#pass(line, 0);
      return undefined;
    }
    const body = this.#settings.body(this.#mark.lines + 1);
    this.#current = body;
    let writing: void | Promise<void>;
    try {
      writing = writeWhole(body, line);
    } catch (error) {
      this.#failed(line, error);
      return undefined;
    }
    if (writing === undefined) {
      this.#succeeded(line);
      return undefined;
    }
    return writing.then(
      () => this.#succeeded(line),
      (error: unknown) => this.#failed(line, error),
    );
  }

  #succeeded(line: Buffer): void {
    const out = this.#current?.take() ?? [];
    this.#endBody();
    this.#out.push(...out);
    this.#step(
      line.length,
      out.reduce((sum, { length }) => sum + length, 0),
      1,
    );
  }

  #failed(line: Buffer, error: unknown): void {
    this.#endBody();
    if (!(error instanceof SealwrightError)) throw error;
    const placed = error.withFacts({ line: this.#mark.lines + 1 });
    if (!this.#settings.keepLine(placed)) throw placed;
    this.#pass(line, 1);
  }

  #endBody(): void {
    this.#current?.close();
    this.#current = undefined;
  }

  #pass(line: Buffer, documents: number): void {
    this.#out.push(line);
    this.#step(line.length, line.length, documents);
  }

  #step(read: number, written: number, documents: number): void {
    const { input, output, documents: before, lines } = this.#mark;
    this.#mark = {
      input: input + read,
      output: output + written,
      documents: before + documents,
      lines: lines + 1,
    };
  }
}

function writeWhole(body: BodyRewriter, line: Buffer): void | Promise<void> {
  const writing = body.write(line);
  return writing === undefined ? body.end() : writing.then(() => body.end());
}

/** Space, tab, CR and LF only. */
function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === lineFeed);
}
