import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ErrorCode } from "../base/error-table.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import type { Peer } from "./http-port.ts";
import { rawRefusal } from "./refusal.ts";

/** One request as its connection sees it. */
export interface ServedExchange {
  /** Its turn has come. */
  run(): void;
  /** What comes on the connection is broken: so is the body, unless it had come whole. */
  bodyBroken(error: SealwrightError): void;
}

/** Most requests that a client may send ahead on one connection. */
const mostWaiting = 64;

/**
 * One client connection: its requests are served strictly one after the other, so that a request behind a bad one is never
 * begun, and a broken message is answered in its turn.
 */
export class ClientConnection {
  readonly peer: Peer;
  readonly #socket: Socket;
  #current: ServedExchange | undefined;
  #waiting: ServedExchange[] = [];
  /** No further request is taken. */
  #closing = false;
  #broken: ErrorCode | undefined;

  constructor(socket: Socket, peer: Peer) {
    this.#socket = socket;
    this.peer = peer;
  }

  /** True once the parser has given up: no body under way will come to its end. */
  get broken(): boolean {
    return this.#broken !== undefined;
  }

  add(exchange: ServedExchange): void {
    if (this.#closing || this.#broken !== undefined) return;
    if (this.#current === undefined) {
      this.#current = exchange;
      exchange.run();
    } else if (this.#waiting.length < mostWaiting) {
      this.#waiting.push(exchange);
    } else {
      this.reset();
    }
  }

  /** `exchange` has announced that its answer is the connection's last. */
  takeNoMore(): void {
    this.#closing = true;
    this.#waiting = [];
  }

  finished(exchange: ServedExchange): void {
    if (this.#current !== exchange) return;
    this.#current = this.#closing ? undefined : this.#waiting.shift();
    if (this.#current !== undefined) {
      this.#current.run();
      if (this.#broken !== undefined) this.#current.bodyBroken(new SealwrightError(this.#broken));
    } else if (this.#broken !== undefined && !this.#closing) {
      this.#refuse(this.#broken);
    }
  }

  /** The parser has given up on what came. */
  parseFailed(code: ErrorCode): void {
    if (this.#broken !== undefined || this.#closing) return;
    this.#broken = code;
    if (this.#current === undefined) this.#refuse(code);
    else if (this.#waiting.length === 0) this.#current.bodyBroken(new SealwrightError(code));
    // Behind a request that is complete, the refusal waits for its turn.
  }

  /** Breaks the connection: a plain TCP client gets a reset, a TLS one an end without the closing alert. */
  reset(): void {
    this.#closing = true;
    const plainTcp = !(this.#socket instanceof TLSSocket) && this.#socket.remotePort !== undefined;
    if (plainTcp) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #refuse(code: ErrorCode): void {
    this.#closing = true;
    if (!this.#socket.writable) {
      this.#socket.destroy();
      return;
    }
    this.#socket.end(rawRefusal(code), () => this.#socket.destroy());
  }
}
