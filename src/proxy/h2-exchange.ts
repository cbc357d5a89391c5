import { constants, type ServerHttp2Stream } from "node:http2";
import type {
  ClientAnswer,
  ClientBody,
  ClientEvents,
  ClientExchange,
  HeaderList,
  Peer,
  RequestHandler,
  RequestHead,
  ResponseHead,
} from "./http-port.ts";

/** A request as it arrives on a stream. */
export interface H2Arrival {
  readonly stream: ServerHttp2Stream;
  /** Names and values in turn, pseudo-headers first (RFC 9113 section 8.3). */
  readonly headers: HeaderList;
}

/**
 * One request on one HTTP/2 stream. What of RFC 9113 makes a message malformed (section 8.1.1: hop-by-hop names, upper case,
 * pseudo-headers, a length that does not hold) the library has refused before; the rest the head checks see as of HTTP/1.1.
 */
export class H2Exchange implements ClientExchange, ClientBody, ClientAnswer {
  readonly head: RequestHead;
  readonly peer: Peer;
  readonly #stream: ServerHttp2Stream;
  readonly #expects: boolean;
  #events: ClientEvents | undefined;
  #begun = false;
  #started = false;
  #complete: boolean;
  #trailers: HeaderList = [];
  #answerTrailers: HeaderList = [];

  constructor({ stream, headers }: H2Arrival, peer: Peer) {
    this.#stream = stream;
    this.peer = peer;
    this.head = headOf(headers, stream.endAfterHeaders);
    this.#complete = stream.endAfterHeaders;
    this.#expects = headers.some((name, i) => i % 2 === 0 && name === "expect");
  }

  get body(): ClientBody {
    return this;
  }

  get answer(): ClientAnswer {
    return this;
  }

  serve(handler: RequestHandler): void {
    const stream = this.#stream;
    // What went wrong is told by `close`; without a listener it would end the process.
    stream.on("error", () => undefined);
    stream.on("drain", () => this.#events?.writable());
    stream.on("trailers", (_headers, _flags, raw: string[]) => (this.#trailers = raw));
    stream.on("wantTrailers", () => this.#sendTrailers());
    // After a reset without an error the library would wait until what came before has been read, held back or not.
    stream.on("aborted", () => setImmediate(() => stream.destroy()));
    stream.on("close", () => this.#closed());
    this.#events = handler(this);
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (this.#expects) this.#stream.additionalHeaders({ [constants.HTTP2_HEADER_STATUS]: 100 });
    this.#stream.on("data", (chunk: Buffer) => this.#events?.bodyChunk(chunk));
    this.#stream.on("end", () => {
      // A reset ends the stream's reading side too: only what the client ended itself is complete.
      if (this.#stream.aborted) return;
      this.#complete = true;
      this.#events?.bodyEnd(this.#trailers);
    });
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  begin({ status, headers }: ResponseHead): void {
    this.#begun = true;
    if (this.#isGone) return;
    this.#stream.respond({ ...recordOf(headers), [constants.HTTP2_HEADER_STATUS]: status }, { waitForTrailers: true });
  }

  write(chunk: Buffer): boolean {
    return this.#isGone || this.#stream.writableEnded || this.#stream.write(chunk);
  }

  end(last: Buffer | undefined, trailers: HeaderList): void {
    this.#answerTrailers = trailers;
    if (this.#isGone) return;
    if (!this.#stream.writableEnded) {
      if (last === undefined) this.#stream.end();
      else this.#stream.end(last);
    }
    // RFC 9113 section 8.1: a complete answer to an incomplete request asks the client to stop.
    if (!this.#complete) this.#stream.once("finish", () => this.#stop());
  }

  abort(): void {
    // Closed by the client, a stream would still wait for somebody to read what came before.
    if (this.#stream.closed) this.#stream.destroy();
    else this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  #stop(): void {
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
    // Held back, what has come of the body would keep the stream for ever.
    this.#stream.resume();
  }

  #sendTrailers(): void {
    try {
      this.#stream.sendTrailers(recordOf(this.#answerTrailers));
    } catch {
      // They are the upstream's: what HTTP/2 does not take must not end the process.
      this.abort();
    }
  }

  get #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #closed(): void {
    const events = this.#events;
    this.#events = undefined;
    const { aborted, writableFinished, rstCode } = this.#stream;
    const complete = this.#begun && writableFinished && !aborted && rstCode === constants.NGHTTP2_NO_ERROR;
    events?.closed(complete);
  }
}

/** The head in the words of HTTP/1.1: the authority as host, cookies in one line (RFC 9113 sections 8.3.1 and 8.2.3). */
function headOf(headers: HeaderList, ended: boolean): RequestHead {
  const pseudo = new Map<string, string>();
  const lines: string[] = [];
  const cookies: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const [name = "", value = ""] = [headers[i], headers[i + 1]];
    if (name.startsWith(":")) pseudo.set(name, value);
    else if (name === "cookie") cookies.push(value);
    // A second host that says the same is none; one that differs stays, and is refused as repeated.
    else if (name !== "host" || value !== pseudo.get(":authority")) lines.push(name, value);
  }
  const authority = pseudo.get(":authority");
  return {
    method: pseudo.get(":method") ?? "",
    target: pseudo.get(":path") ?? "",
    version: "2",
    ended,
    headers: [
      ...(authority === undefined ? [] : ["host", authority]),
      ...lines,
      ...(cookies.length === 0 ? [] : ["cookie", cookies.join("; ")]),
    ],
  };
}

/** Names in lower case, as HTTP/2 wants them; a repeated one holds all its values. */
function recordOf(headers: HeaderList): Record<string, string | string[]> {
  const record = Object.create(null) as Record<string, string | string[]>;
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] ?? "").toLowerCase();
    const value = headers[i + 1] ?? "";
    const before = record[name];
    record[name] = before === undefined ? value : [...[before].flat(), value];
  }
  return record;
}
