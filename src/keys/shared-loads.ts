/** What is lent: whoever holds it gives it back once. */
interface Held {
  retain(): unknown;
}

interface Flight<T> {
  readonly promise: Promise<T>;
  waiters: number;
}

/** What a load brings. `settle` runs when every waiter has its hold: it stores the result, or gives the load's own hold back. */
export interface Loaded<T> {
  readonly value: T;
  readonly settle: () => void;
}

/**
 * One load per name however many wait, as SingleFlight, and each waiter gets a hold of its own in the same turn in which the
 * result arrives: a small cache cannot end a key between its arrival and a waiter's use. Failures go to all who wait and are
 * not kept.
 */
export class SharedLoads<T extends Held> {
  readonly #flights = new Map<string, Flight<T>>();

  run(name: string, load: () => Promise<Loaded<T>>): Promise<T> {
    const flight = this.#flights.get(name) ?? this.#begin(name, load);
    flight.waiters += 1;
    return flight.promise;
  }

  #begin(name: string, load: () => Promise<Loaded<T>>): Flight<T> {
    const flight: Flight<T> = { waiters: 0, promise: this.#landed(name, load()) };
    this.#flights.set(name, flight);
    return flight;
  }

  async #landed(name: string, load: Promise<Loaded<T>>): Promise<T> {
    try {
      const { value, settle } = await load;
      const waiters = this.#flights.get(name)?.waiters ?? 0;
      for (let each = 0; each < waiters; each += 1) value.retain();
      settle();
      return value;
    } finally {
      this.#flights.delete(name);
    }
  }
}
