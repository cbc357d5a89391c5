import { once } from "node:events";
import type { Clock } from "../base/clock.ts";
import type { ListenAddress } from "../base/listen-address.ts";
import type { Admission } from "./admission.ts";
import type { Upstream } from "./http-port.ts";
import type { NodeServer } from "./node-server.ts";
import type { ClientTls, ServerTls } from "./tls.ts";

export interface RunningListener {
  /** With the port that was chosen where 0 was asked for. */
  readonly address: ListenAddress;
  /** Requests under way. */
  readonly active: number;
  /**
   * Takes no new connection, lets what is under way finish, then closes. True = `deadlineMs` passed first, and what was left
   * was answered 503 or broken off.
   */
  drain(deadlineMs: number): Promise<boolean>;
  /**
   * Certificates, keys and trust from now on, on both sides; connections go on unless the new trust no longer vouches for
   * their peer. Throws `file_unreadable`, and nothing has changed then.
   */
  replaceTls(material: TlsMaterial): void;
  /** Breaks everything off at once. */
  close(): Promise<void>;
}

/** What of a listener's TLS may change while it runs. Absent where that side has no TLS. */
export interface TlsMaterial {
  readonly server: Pick<ServerTls, "identity" | "clients"> | undefined;
  readonly upstream: ClientTls | undefined;
}

export interface ListenerParts {
  readonly address: ListenAddress;
  readonly server: NodeServer;
  readonly upstream: Upstream;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly stopSweep: () => void;
}

/** After the drain's deadline: time for the last refusals to leave. */
const farewellMs = 250;

/** Looks at the deadlines of all requests again and again; the answer stops it. */
export function startSweep(admission: Admission, clock: Clock, aimMs: number): () => void {
  const everyMs = Math.min(Math.max(aimMs, 10), 1000);
  let cancel = (): void => undefined;
  const wait = (): void => {
    cancel = clock.after(everyMs, () => {
      admission.sweep(clock.monotonicMs());
      wait();
    });
  };
  wait();
  return () => cancel();
}

/** A listener that is bound. */
export class BoundListener implements RunningListener {
  readonly address: ListenAddress;
  readonly #parts: ListenerParts;
  #closed: Promise<void> | undefined;

  constructor(parts: ListenerParts) {
    this.address = parts.address;
    this.#parts = parts;
  }

  get active(): number {
    return this.#parts.admission.active;
  }

  async drain(deadlineMs: number): Promise<boolean> {
    const { admission } = this.#parts;
    const drained = admission.drained();
    this.#parts.server.beginDrain();
    const inTime = await this.#within(drained, deadlineMs);
    if (!inTime) {
      admission.abandonAll();
      await this.#within(drained, farewellMs);
    }
    await this.close();
    return !inTime;
  }

  replaceTls({ server, upstream }: TlsMaterial): void {
    if (server !== undefined) this.#parts.server.replaceTls(server);
    if (upstream !== undefined) this.#parts.upstream.replaceTls(upstream);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { server, upstream, stopSweep } = this.#parts;
    stopSweep();
    const closed = server.server.listening ? once(server.server, "close") : Promise.resolve();
    if (server.server.listening) server.server.close();
    server.destroyConnections();
    await upstream.close();
    await closed;
  }

  /** True when `work` settles within `ms`. */
  #within(work: Promise<void>, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(ms, () => resolve(false));
      void work.then(() => {
        cancel();
        resolve(true);
      });
    });
  }
}
