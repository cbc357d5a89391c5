import { Pool } from "undici";

/** What came of the requests so far. */
export interface LoadTally {
  written: number;
  read: number;
  /** What went wrong, by what it was. */
  readonly failures: Map<string, number>;
}

/** A document of its own for each number, so that a mixed-up or lost value shows. */
const documentOf = (id: number, turn: number): string =>
  JSON.stringify({ id: `r${id}`, ssn: `219-09-${id}-${turn}`, notes: `turn ${turn}`, ward: id % 7 });

const records = 400;

/**
 * A steady stream of writes and reads through a sidecar, by the clock and not by the answers: half of the requests write a
 * document, half read one back and compare every byte with what was written last.
 */
export class SteadyLoad {
  readonly tally: LoadTally = { written: 0, read: 0, failures: new Map() };
  readonly #pool: Pool;
  readonly #perSecond: number;
  readonly #last = new Map<number, string>();
  readonly #busy = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #underWay = 0;
  #turn = 0;

  constructor(port: number, perSecond: number) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections: 64 });
    this.#perSecond = perSecond;
  }

  start(): void {
    const everyMs = 20;
    const perTick = (this.#perSecond * everyMs) / 1000;
    let owed = 0;
    this.#timer = setInterval(() => {
      for (owed += perTick; owed >= 1; owed -= 1) void this.#one();
    }, everyMs);
  }

  /** Stops, waits for what is under way, and reads every record once more. */
  async stop(): Promise<LoadTally> {
    clearInterval(this.#timer);
    while (this.#underWay > 0) await new Promise((settle) => setTimeout(settle, 10));
    for (const [id, text] of this.#last) await this.#read(id, text);
    await this.#pool.destroy();
    return this.tally;
  }

  async #one(): Promise<void> {
    this.#turn += 1;
    const id = this.#turn % records;
    if (this.#busy.has(id)) return;
    this.#busy.add(id);
    this.#underWay += 1;
    try {
      const known = this.#last.get(id);
      if (known === undefined || this.#turn % 2 === 0) await this.#write(id, documentOf(id, this.#turn));
      else await this.#read(id, known);
    } finally {
      this.#underWay -= 1;
      this.#busy.delete(id);
    }
  }

  async #write(id: number, text: string): Promise<void> {
    const { status } = await this.#ask("PUT", id, text);
    if (status !== 204) return;
    this.#last.set(id, text);
    this.tally.written += 1;
  }

  async #read(id: number, text: string): Promise<void> {
    const { status, body } = await this.#ask("GET", id);
    if (status !== 200) return;
    if (body === text) this.tally.read += 1;
    else this.#failed("another document came back");
  }

  async #ask(
    method: "PUT" | "GET",
    id: number,
    body?: string,
  ): Promise<{ readonly status: number; readonly body: string }> {
    try {
      const answer = await this.#pool.request({
        method,
        path: `/v1/patients/r${id}`,
        headers: { "x-tenant-id": "acme", ...(body === undefined ? {} : { "content-type": "application/json" }) },
        body: body ?? null,
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) this.#failed(`${method} ${answer.statusCode} ${text.slice(0, 120)}`);
      return { status: answer.statusCode, body: text };
    } catch (error) {
      this.#failed(`${method} ${error instanceof Error ? error.message : "?"}`);
      return { status: 0, body: "" };
    }
  }

  #failed(what: string): void {
    this.tally.failures.set(what, (this.tally.failures.get(what) ?? 0) + 1);
  }
}
