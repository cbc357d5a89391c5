import type { IncomingMessage, ServerResponse } from "node:http";
import type { SealwrightError } from "../base/sealwright-error.ts";
import type { ClientConnection, ServedExchange } from "./client-connection.ts";
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

/** What of an unread body is still taken after the answer, so that a client that is busy sending reads the answer. */
const lingerBytes = 1024 * 1024;
const lingerMs = 1000;

export interface NodeMessages {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for `100 Continue` before it sends its body. */
  readonly expects: boolean;
}

/** One request on node:http. */
export class NodeExchange implements ServedExchange, ClientExchange, ClientBody, ClientAnswer {
  readonly head: RequestHead;
  readonly peer: Peer;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #connection: ClientConnection;
  readonly #handler: RequestHandler;
  readonly #expects: boolean;
  #events: ClientEvents | undefined;
  #begun = false;
  #started = false;
  #closes = false;

  constructor(messages: NodeMessages, connection: ClientConnection, handler: RequestHandler) {
    const { request, response, expects } = messages;
    this.#request = request;
    this.#response = response;
    this.#expects = expects;
    this.#connection = connection;
    this.#handler = handler;
    this.peer = connection.peer;
    this.head = {
      method: request.method ?? "",
      target: request.url ?? "",
      version: request.httpVersion,
      headers: request.rawHeaders,
    };
  }

  get body(): ClientBody {
    return this;
  }

  get answer(): ClientAnswer {
    return this;
  }

  /** Its turn on the connection has come. */
  run(): void {
    this.#response.sendDate = false;
    this.#response.on("drain", () => this.#events?.writable());
    this.#response.on("close", () => this.#closed());
    // A broken connection is told by `close`; without a listener it would end the process.
    this.#response.on("error", () => undefined);
    this.#request.on("error", () => undefined);
    if (this.#response.destroyed) return;
    this.#events = this.#handler(this);
  }

  /** The body broke HTTP; or the request had come whole and what follows it is broken. */
  bodyBroken(error: SealwrightError): void {
    if (!this.#request.complete) this.#events?.bodyFailed(error);
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (this.#expects) this.#response.writeContinue();
    this.#request.on("data", (chunk: Buffer) => this.#events?.bodyChunk(chunk));
    this.#request.on("end", () => {
      if (this.#request.complete) this.#events?.bodyEnd(this.#request.rawTrailers);
    });
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  begin(head: ResponseHead, close: boolean): void {
    this.#begun = true;
    // Where the next request begins is known only when this one's body has come whole.
    this.#closes = close || this.#unread();
    if (this.#closes) {
      this.#response.shouldKeepAlive = false;
      this.#connection.takeNoMore();
    }
    this.#response.writeHead(head.status, [...head.headers]);
  }

  write(chunk: Buffer): boolean {
    return this.#response.write(chunk);
  }

  end(last: Buffer | undefined, trailers: HeaderList): void {
    if (trailers.length > 0) this.#response.addTrailers(pairsOf(trailers));
    // A client that still waits for 100 has sent nothing that would be in the way.
    const comes = this.#unread() && !(this.#expects && !this.#started);
    if (!comes || this.#connection.broken) {
      if (last === undefined) this.#response.end();
      else this.#response.end(last);
      return;
    }
    if (last !== undefined) this.#response.write(last);
    this.#linger();
  }

  abort(): void {
    this.#connection.reset();
  }

  #unread(): boolean {
    return !this.#request.complete && declaresBody(this.#request);
  }

  /** Closing at once would reset the connection under the client's hands and lose it the answer. */
  #linger(): void {
    let left = lingerBytes;
    const timer = setTimeout(() => finish(), lingerMs);
    const finish = (): void => {
      clearTimeout(timer);
      this.#request.removeAllListeners("data");
      this.#response.end();
    };
    this.#request.removeAllListeners("data");
    this.#request.removeAllListeners("end");
    this.#request.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) finish();
    });
    this.#request.on("end", finish);
    this.#request.resume();
    this.#response.flushHeaders();
  }

  #closed(): void {
    const complete = this.#begun && this.#response.writableFinished;
    const events = this.#events;
    this.#events = undefined;
    events?.closed(complete);
    this.#connection.finished(this);
  }
}

function declaresBody(request: IncomingMessage): boolean {
  const { headers } = request;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function pairsOf(list: HeaderList): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < list.length; i += 2) pairs.push([list[i] ?? "", list[i + 1] ?? ""]);
  return pairs;
}
