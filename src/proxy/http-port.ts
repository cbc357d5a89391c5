import type { SealwrightError } from "../base/sealwright-error.ts";
import type { ClientTls } from "./tls.ts";

/**
 * Port: what the pipeline knows of HTTP. Both sides speak in heads, chunks and calls, never in the types of the library that
 * stands behind them, so that a leaner one can replace it. Rules that hold on both sides:
 * - calls are made one after the other, never from inside another call of the same direction's method;
 * - `false` from a write, and `pause`, are back-pressure; chunks already under way may still come while paused;
 * - nothing is called after an end, a failure or an abort.
 */

/** Names and values in turn, as they came on the wire (latin1 text). */
export type HeaderList = readonly string[];

export interface RequestHead {
  readonly method: string;
  /** As received, query included. */
  readonly target: string;
  /** "1.1", "1.0" or "2"; anything else is refused by the head checks. */
  readonly version: string;
  /** HTTP/2: true when nothing follows the head. */
  readonly ended?: boolean;
  readonly headers: HeaderList;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
}

/** Who is at the other end of a connection. */
export interface Peer {
  /** False when its certificate names nobody of the allow-list. */
  readonly allowed: boolean;
  /** What the app is told of its certificate; absent where none is asked for. */
  readonly forwarded: string | undefined;
}

/** One request of a client, as the server side offers it. */
export interface ClientExchange {
  readonly head: RequestHead;
  readonly peer: Peer;
  /** Where the body comes from. Untouched, a body is thrown away after the answer and the connection closes. */
  readonly body: ClientBody;
  readonly answer: ClientAnswer;
}

export interface ClientBody {
  /** Starts the body; says `100 Continue` to a client that waits for it. */
  start(): void;
  pause(): void;
  resume(): void;
}

export interface ClientAnswer {
  /** `close` = this connection takes no further request. Headers hold no hop-by-hop names. */
  begin(head: ResponseHead, close: boolean): void;
  /** False = wait for `writable`. */
  write(chunk: Buffer): boolean;
  end(last: Buffer | undefined, trailers: HeaderList): void;
  /** Breaks the connection so that what was sent can never look complete. */
  abort(): void;
}

/** What the server side tells of one request. */
export interface ClientEvents {
  bodyChunk(chunk: Buffer): void;
  bodyEnd(trailers: HeaderList): void;
  /** The body broke HTTP. An answer can still be given. */
  bodyFailed(error: SealwrightError): void;
  /** The answer takes more again. */
  writable(): void;
  /** The answer has left, or the client has. */
  closed(complete: boolean): void;
}

export type RequestHandler = (exchange: ClientExchange) => ClientEvents;

/** A request to the upstream. Header names and values in turn; no framing and no hop-by-hop names. */
export interface UpstreamRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  /** The whole body; or a body that is written in pieces, with its length where that is known; or none. */
  readonly body: Buffer | { readonly length: number | undefined } | undefined;
}

/** One request under way. */
export interface UpstreamCall {
  /** False = wait for `writable`. */
  write(chunk: Buffer): boolean;
  end(): void;
  /** Resets the request: the upstream never sees it finished, its connection is not used again. */
  abort(): void;
  pause(): void;
  resume(): void;
}

/** What the upstream side tells of one request. Interim answers (1xx) are dropped. */
export interface UpstreamEvents {
  head(head: ResponseHead): void;
  chunk(chunk: Buffer): void;
  end(trailers: HeaderList): void;
  failed(error: SealwrightError): void;
  writable(): void;
}

export interface Upstream {
  send(request: UpstreamRequest, events: UpstreamEvents): UpstreamCall;
  /** Certificates and trust from the next connection on. Throws `file_unreadable`. */
  replaceTls(tls: ClientTls): void;
  /** Ends every connection; calls under way fail. */
  close(): Promise<void>;
}
