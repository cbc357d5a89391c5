/** Something the demo claims and has tried. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
}

/** Collects what the demo has tried; it fails when any of them did. */
export class Checks {
  readonly #all: Check[] = [];

  /** Records one; gives `ok` back. */
  that(name: string, ok: boolean): boolean {
    this.#all.push({ name, ok });
    return ok;
  }

  get all(): readonly Check[] {
    return this.#all;
  }

  get passed(): boolean {
    return this.#all.length > 0 && this.#all.every(({ ok }) => ok);
  }
}
