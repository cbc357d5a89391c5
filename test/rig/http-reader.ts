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

/**
 * Reads HTTP/1.1 messages from bytes, deliberately small and strict: whatever two readers could understand in two ways
 * (bare LF, both framings, odd chunk sizes) is `malformed`, never guessed.
 */
export class HttpReader {
  readonly messages: HttpMessage[] = [];
  /** Why the bytes are no HTTP, or `undefined`. */
  malformed: string | undefined;
  #pending: Buffer = Buffer.alloc(0);
  readonly #kind: HttpKind;

  constructor(kind: HttpKind) {
    this.#kind = kind;
  }

  /** True when bytes of an unfinished message have come. */
  get midMessage(): boolean {
    return this.#pending.length > 0;
  }

  /** Bytes of the unfinished message. */
  get unfinished(): Buffer {
    return this.#pending;
  }

  /** Gives the messages that this chunk has completed. */
  write(chunk: Buffer): readonly HttpMessage[] {
    const before = this.messages.length;
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.malformed === undefined && this.#pending.length > 0 && this.#readOne(false));
    return this.messages.slice(before);
  }

  /** The peer has closed cleanly: an answer without any framing ends here. */
  end(): void {
    if (this.malformed === undefined && this.#pending.length > 0) this.#readOne(true);
  }

  #readOne(ended: boolean): boolean {
    const headEnd = this.#pending.indexOf("\r\n\r\n");
    if (headEnd < 0) return false;
    const [start = "", ...lines] = this.#pending.toString("latin1", 0, headEnd).split("\r\n");
    const headers = lines.map((line) => {
      const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/u.exec(line);
      if (match === null || /[\r\n\0]/u.test(line)) this.malformed ??= "header line";
      return { name: match?.[1] ?? "", value: match?.[2] ?? "" };
    });
    const bodyStart = headEnd + 4;
    const head: HttpMessage = { start, headers, body: Buffer.alloc(0), raw: this.#pending.subarray(0, bodyStart) };
    const framed = this.#frame(head, bodyStart, ended);
    if (framed === undefined || this.malformed !== undefined) return false;
    this.messages.push({ ...head, body: framed.body, raw: Buffer.from(this.#pending.subarray(0, framed.end)) });
    this.#pending = this.#pending.subarray(framed.end);
    if (this.#kind.kind === "answers" && !isInterim(start)) this.#kind.methods.shift();
    return true;
  }

  /** Body and end of the message, or `undefined` while it is not all there. */
  #frame(head: HttpMessage, start: number, ended: boolean): { body: Buffer; end: number } | undefined {
    const lengths = headerValues(head, "content-length");
    const codings = headerValues(head, "transfer-encoding");
    if (this.#bodyless(head.start)) return { body: Buffer.alloc(0), end: start };
    if (lengths.length > 1 || codings.length > 1 || (lengths.length > 0 && codings.length > 0)) {
      this.malformed = "two framings";
      return undefined;
    }
    if (codings.length === 1) {
      if (codings[0]?.toLowerCase() !== "chunked") this.malformed = "transfer-encoding";
      return this.#dechunk(start);
    }
    if (lengths.length === 1) {
      if (!/^(0|[1-9]\d*)$/u.test(lengths[0] ?? "")) this.malformed = "content-length";
      const end = start + Number(lengths[0]);
      return this.#pending.length < end ? undefined : { body: Buffer.from(this.#pending.subarray(start, end)), end };
    }
    if (this.#kind.kind === "requests") return { body: Buffer.alloc(0), end: start };
    return ended ? { body: Buffer.from(this.#pending.subarray(start)), end: this.#pending.length } : undefined;
  }

  #bodyless(start: string): boolean {
    if (this.#kind.kind === "requests") return false;
    const status = Number(start.split(" ")[1]);
    return this.#kind.methods[0] === "HEAD" || isInterim(start) || status === 204 || status === 304;
  }

  #dechunk(start: number): { body: Buffer; end: number } | undefined {
    const parts: Buffer[] = [];
    for (let at = start; ;) {
      const lineEnd = this.#pending.indexOf("\r\n", at);
      if (lineEnd < 0) return undefined;
      const size = this.#pending.toString("latin1", at, lineEnd);
      if (!/^[0-9a-fA-F]{1,8}$/u.test(size)) {
        this.malformed = "chunk size";
        return undefined;
      }
      const from = lineEnd + 2;
      const to = from + parseInt(size, 16);
      if (to === from) return this.#trailers(from, parts);
      if (this.#pending.length < to + 2) return undefined;
      if (this.#pending.toString("latin1", to, to + 2) !== "\r\n") {
        this.malformed = "chunk end";
        return undefined;
      }
      parts.push(this.#pending.subarray(from, to));
      at = to + 2;
    }
  }

  #trailers(from: number, parts: readonly Buffer[]): { body: Buffer; end: number } | undefined {
    if (this.#pending.toString("latin1", from, from + 2) === "\r\n")
      return { body: Buffer.concat(parts), end: from + 2 };
    const end = this.#pending.indexOf("\r\n\r\n", from);
    return end < 0 ? undefined : { body: Buffer.concat(parts), end: end + 4 };
  }
}

const isInterim = (start: string): boolean => /^HTTP\/1\.1 1\d\d /u.test(start) && !start.startsWith("HTTP/1.1 101");
