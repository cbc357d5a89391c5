/** Why something is not ready, in words that hold no data; `undefined` = ready. */
export type HealthCheck = () => string | undefined;

export interface Readiness {
  readonly ready: boolean;
  /** One line per check that fails: its name and why. */
  readonly reasons: readonly { readonly check: string; readonly reason: string }[];
  /** What an operator should know although it stops nothing, such as a development key service. */
  readonly notes: readonly string[];
}

/** Collects the parts' own view of whether traffic may come. Checks only look: they never call out. */
export class Health {
  readonly #checks = new Map<string, HealthCheck>();
  readonly #notes: (() => readonly string[])[] = [];

  addCheck(name: string, check: HealthCheck): void {
    this.#checks.set(name, check);
  }

  addNote(note: string): void {
    this.addNotes(() => [note]);
  }

  /** Notes that come and go. */
  addNotes(notes: () => readonly string[]): void {
    this.#notes.push(notes);
  }

  readiness(): Readiness {
    const reasons = [...this.#checks].flatMap(([check, why]) => {
      const reason = why();
      return reason === undefined ? [] : [{ check, reason }];
    });
    return { ready: reasons.length === 0, reasons, notes: this.#notes.flatMap((notes) => notes()) };
  }
}
