import { Readable } from "node:stream";
import { Pool, type Dispatcher } from "undici";
import type { Clock } from "../base/clock.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import type { HeaderList, Upstream, UpstreamCall, UpstreamEvents, UpstreamRequest } from "./http-port.ts";
import { maxHeaderBytes } from "./request-head.ts";
import { UpstreamConnector, type UpstreamTls } from "./upstream-connector.ts";
import type { ClientTls } from "./tls.ts";
import { upstreamError } from "./upstream-errors.ts";

export interface UndiciUpstreamOptions {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly tls: UpstreamTls | undefined;
  /** Most connections; 0 = no bound. */
  readonly connections: number;
  /** Milliseconds for a connection, for the head after the request, and between two pieces of the body. */
  readonly upstreamMs: number;
  /** Milliseconds that an idle connection is kept. */
  readonly keepAliveMs: number;
  readonly clock: Clock;
}

/** Most interim answers (1xx) to one request. */
const mostInterim = 16;

/** A request body that is written rather than read; only bodies that are too long to be held have one. */
class WrittenBody extends Readable {
  readonly #wanted: () => void;

  constructor(wanted: () => void) {
    super({ highWaterMark: 64 * 1024 });
    this.#wanted = wanted;
  }

  override _read(): void {
    this.#wanted();
  }
}

const asText = (raw: unknown): HeaderList =>
  Array.isArray(raw) ? raw.map((part) => (Buffer.isBuffer(part) ? part.toString("latin1") : String(part))) : [];

/** One request: undici's handler on one side, the port on the other. */
class Call implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #events: UpstreamEvents;
  readonly body: WrittenBody | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #interim = 0;
  #over = false;
  #needsDrain = false;

  constructor(events: UpstreamEvents, written: boolean) {
    this.#events = events;
    this.body = written ? new WrittenBody(() => this.#wanted()) : undefined;
  }

  write(chunk: Buffer): boolean {
    if (this.#over || this.body === undefined) return true;
    const more = this.body.push(chunk);
    this.#needsDrain = !more;
    return more;
  }

  end(): void {
    this.body?.push(null);
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reset(new SealwrightError("client_gone"));
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new SealwrightError("client_gone"));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#over) return;
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > mostInterim)
        this.#fail(new SealwrightError("upstream_invalid", { reason: "too many interim answers" }));
      return;
    }
    this.#events.head({ status, headers: asText(controller.rawHeaders) });
  }

  onRequestUpgrade(): void {
    this.#fail(new SealwrightError("upstream_invalid", { reason: "upgrade that nobody asked for" }));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#events.chunk(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over) return;
    this.#over = true;
    this.body?.destroy();
    this.#events.end(asText(controller.rawTrailers));
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(upstreamError(error, this.#controller !== undefined));
  }

  #fail(error: SealwrightError): void {
    if (this.#over) return;
    this.#over = true;
    this.#reset(error);
    this.#events.failed(error);
  }

  #reset(error: Error): void {
    this.#controller?.abort(error);
    this.body?.destroy();
  }

  #wanted(): void {
    if (!this.#needsDrain || this.#over) return;
    this.#needsDrain = false;
    this.#events.writable();
  }
}

function dispatchOptions(request: UpstreamRequest, call: Call): Dispatcher.DispatchOptions {
  const { method, target, headers, body } = request;
  const length = body === undefined || Buffer.isBuffer(body) ? undefined : body.length;
  return {
    method,
    path: target,
    headers: length === undefined ? [...headers] : [...headers, "content-length", String(length)],
    body: Buffer.isBuffer(body) ? body : (call.body ?? null),
  };
}

/** The upstream over HTTP/1.1 by undici's lowest call, on pooled connections, one request at a time on each. */
export function createUndiciUpstream(options: UndiciUpstreamOptions): Upstream {
  const connector = new UpstreamConnector({ tls: options.tls, connectMs: options.upstreamMs, clock: options.clock });
  const pool = new Pool(options.origin, {
    connect: connector.connect,
    connections: options.connections === 0 ? null : options.connections,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: options.upstreamMs,
    bodyTimeout: options.upstreamMs,
    keepAliveTimeout: options.keepAliveMs,
    keepAliveMaxTimeout: Math.max(options.keepAliveMs, 60_000),
  });
  return Object.freeze({
    send(request: UpstreamRequest, events: UpstreamEvents): UpstreamCall {
      const written = request.body !== undefined && !Buffer.isBuffer(request.body);
      const call = new Call(events, written);
      pool.dispatch(dispatchOptions(request, call), call);
      return call;
    },
    replaceTls: (tls: ClientTls) => connector.replaceTls(tls),
    close: () => pool.destroy(),
  });
}
