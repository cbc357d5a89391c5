/** One HTTP/1.1 message as it stood on the wire. */
export interface HttpMessage {
  /** Request line or status line. */
  readonly start: string;
  /** In order, names as sent. */
  readonly headers: readonly HttpHeader[];
  /** Chunks joined, no content decoding. */
  readonly body: Buffer;
  /** All its bytes, framing included. */
  readonly raw: Buffer;
}

export interface HttpHeader {
  readonly name: string;
  readonly value: string;
}

/** Every value of a header, any case. */
export function headerValues(message: HttpMessage, name: string): readonly string[] {
  return message.headers.filter((header) => header.name.toLowerCase() === name).map((header) => header.value);
}

/** The one value of a header, or `undefined`; several are joined, so that no comparison with one value holds. */
export function headerOf(message: HttpMessage, name: string): string | undefined {
  const values = headerValues(message, name);
  return values.length === 0 ? undefined : values.join(" + ");
}

/** What a reader expects: requests, or the answers to the methods that were sent, in order. */
export type HttpKind = { readonly kind: "requests" } | { readonly kind: "answers"; readonly methods: string[] };

/** How the body of the message under way is framed. */
type Framing =
  | { readonly kind: "sized"; left: number }
  | { readonly kind: "chunk size" }
  | { readonly kind: "chunk"; left: number }
  | { readonly kind: "trailers" }
  | { readonly kind: "until close" };

/**
 * Reads HTTP/1.1 messages from bytes, deliberately small and strict: whatever two readers could understand in two ways
 * (bare LF, both framings, odd chunk sizes) is `malformed`, never guessed.
 */
export class HttpReader {
  readonly messages: HttpMessage[] = [];
  /** Why the bytes are no HTTP, or `undefined`. */
  malformed: string | undefined;
  readonly #kind: HttpKind;
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes of the message under way that have been understood. */
  #raw: Buffer[] = [];
  #body: Buffer[] = [];
  #head: Pick<HttpMessage, "start" | "headers"> | undefined;
  #framing: Framing | undefined;

  constructor(kind: HttpKind) {
    this.#kind = kind;
  }

  /** True when bytes of an unfinished message have come. */
  get midMessage(): boolean {
    return this.#head !== undefined || this.#pending.length > 0;
  }

  /** Bytes of the unfinished message. */
  get unfinished(): Buffer {
    return Buffer.concat([...this.#raw, this.#pending]);
  }

  /** Gives the messages that this chunk has completed. */
  write(chunk: Buffer): readonly HttpMessage[] {
    const before = this.messages.length;
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.malformed === undefined && this.#step());
    return this.messages.slice(before);
  }

  /** The peer has closed cleanly: an answer without any framing ends here. */
  end(): void {
    if (this.#framing?.kind === "until close") this.#finish();
  }

  /** One step on; false = more bytes are needed. */
  #step(): boolean {
    if (this.#head === undefined) return this.#pending.length > 0 && this.#readHead();
    const framing = this.#framing;
    switch (framing?.kind) {
      case undefined:
        return this.#finish();
      case "sized":
        return this.#take(framing) && (framing.left > 0 || this.#finish());
      case "until close":
        return this.#take({ left: Infinity });
      case "chunk size":
        return this.#readChunkSize();
      case "chunk":
        return framing.left > 0 ? this.#take(framing) : this.#endChunk();
      case "trailers":
        return this.#readTrailers();
    }
  }

  #take(framing: { left: number }): boolean {
    if (framing.left > 0 && this.#pending.length === 0) return false;
    const bytes = this.#consume(Math.min(framing.left, this.#pending.length));
    this.#body.push(bytes);
    framing.left -= bytes.length;
    return true;
  }

  #consume(length: number): Buffer {
    const bytes = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    this.#raw.push(bytes);
    return bytes;
  }

  #fail(why: string): false {
    this.malformed = why;
    return false;
  }

  #readHead(): boolean {
    const headEnd = this.#pending.indexOf("\r\n\r\n");
    if (headEnd < 0) return false;
    const [start = "", ...lines] = this.#pending.toString("latin1", 0, headEnd).split("\r\n");
    const headers: HttpHeader[] = [];
    for (const line of lines) {
      const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/u.exec(line);
      if (match === null || /[\r\n\0]/u.test(line)) return this.#fail("header line");
      headers.push({ name: match[1] ?? "", value: match[2] ?? "" });
    }
    this.#consume(headEnd + 4);
    this.#head = { start, headers };
    return this.#frame();
  }

  #frame(): boolean {
    const { start, headers } = this.#head!;
    const head = { start, headers, body: Buffer.alloc(0), raw: Buffer.alloc(0) };
    const lengths = headerValues(head, "content-length");
    const codings = headerValues(head, "transfer-encoding");
    if (lengths.length + codings.length > 1) return this.#fail("two framings");
    if (codings[0] !== undefined && codings[0].toLowerCase() !== "chunked") return this.#fail("transfer-encoding");
    if (lengths[0] !== undefined && !/^(0|[1-9]\d*)$/u.test(lengths[0])) return this.#fail("content-length");
    if (this.#bodyless(start)) this.#framing = undefined;
    else if (codings.length === 1) this.#framing = { kind: "chunk size" };
    else if (lengths.length === 1) this.#framing = { kind: "sized", left: Number(lengths[0]) };
    else this.#framing = this.#kind.kind === "requests" ? undefined : { kind: "until close" };
    return true;
  }

  #bodyless(start: string): boolean {
    if (this.#kind.kind === "requests") return false;
    const status = Number(start.split(" ")[1]);
    return this.#kind.methods[0] === "HEAD" || isInterim(start) || status === 204 || status === 304;
  }

  #readChunkSize(): boolean {
    const lineEnd = this.#pending.indexOf("\r\n");
    if (lineEnd < 0) return false;
    const size = this.#pending.toString("latin1", 0, lineEnd);
    if (!/^[0-9a-fA-F]{1,8}$/u.test(size)) return this.#fail("chunk size");
    this.#consume(lineEnd + 2);
    const left = parseInt(size, 16);
    this.#framing = left === 0 ? { kind: "trailers" } : { kind: "chunk", left };
    return true;
  }

  #endChunk(): boolean {
    if (this.#pending.length < 2) return false;
    if (this.#consume(2).toString("latin1") !== "\r\n") return this.#fail("chunk end");
    this.#framing = { kind: "chunk size" };
    return true;
  }

  #readTrailers(): boolean {
    const empty = this.#pending.toString("latin1", 0, 2) === "\r\n";
    const end = empty ? 2 : this.#pending.indexOf("\r\n\r\n") + 4;
    if (end < 4 && !empty) return false;
    this.#consume(end);
    return this.#finish();
  }

  #finish(): true {
    const { start, headers } = this.#head!;
    this.messages.push({ start, headers, body: Buffer.concat(this.#body), raw: Buffer.concat(this.#raw) });
    [this.#raw, this.#body, this.#head, this.#framing] = [[], [], undefined, undefined];
    if (this.#kind.kind === "answers" && !isInterim(start)) this.#kind.methods.shift();
    return true;
  }
}

const isInterim = (start: string): boolean => /^HTTP\/1\.1 1\d\d /u.test(start) && !start.startsWith("HTTP/1.1 101");
