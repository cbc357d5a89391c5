import type { StoreEvent } from "./document-store.ts";
import type { StoreReader } from "./store-reader.ts";

type Peer = Extract<StoreEvent, { readonly event: "peer" }>;
type Arrival = Extract<StoreEvent, { readonly event: "request" }>;

/** What the store has told of its connections and requests, in order. */
export class StoreJournal {
  readonly #peers: Peer[] = [];
  readonly #arrivals: Arrival[] = [];
  #marks = 0;
  #wake: () => void = () => undefined;

  add(event: StoreEvent): void {
    if (event.event === "peer") this.#peers.push(event);
    if (event.event === "request") this.#arrivals.push(event);
    this.#wake();
  }

  /** The first connection of whoever's certificate has this common name. */
  peer(name: string): Peer | undefined {
    return this.#peers.find((peer) => peer.name === name);
  }

  /** How many requests of the peer `name` reach the store while `task` runs. */
  async arrivals(name: string, reader: StoreReader, task: () => Promise<unknown>): Promise<number> {
    await this.#mark(reader);
    const before = this.#arrivals.length;
    await task();
    await this.#mark(reader);
    return this.#arrivals.slice(before).filter((arrival) => arrival.name === name).length;
  }

  /** The journal comes through a pipe, behind the answers; once a marked request stands in it, all before it do too. */
  async #mark(reader: StoreReader): Promise<void> {
    this.#marks += 1;
    const mark = `mark-${this.#marks}`;
    await reader.text(mark);
    while (!this.#arrivals.some(({ path }) => path.endsWith(mark))) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
