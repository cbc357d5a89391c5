import type { BodyStage } from "./body-stage.ts";

/** What can be held back. */
export interface PausableSource {
  pause(): void;
  resume(): void;
}

/**
 * Moves chunks from a source into a stage, one at a time: while the stage is busy the source is paused, and what still comes
 * waits here. No promise is made while the stage answers at once.
 */
export class BodyPump {
  readonly #stage: BodyStage;
  readonly #source: PausableSource;
  readonly #failed: (error: unknown) => void;
  #waiting: Buffer[] = [];
  #ending = false;
  #busy = false;
  #over = false;

  constructor(stage: BodyStage, source: PausableSource, failed: (error: unknown) => void) {
    this.#stage = stage;
    this.#source = source;
    this.#failed = failed;
  }

  /** True while a chunk waits for the stage: the source is not to blame for the silence. */
  get busy(): boolean {
    return this.#busy;
  }

  push(chunk: Buffer): void {
    if (this.#over) return;
    if (this.#busy) this.#waiting.push(chunk);
    else this.#run(() => this.#stage.write(chunk));
  }

  end(): void {
    if (this.#over) return;
    this.#ending = true;
    if (!this.#busy) this.#finish();
  }

  /** Nothing more is moved or told; the stage gives back what it holds. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = [];
    this.#stage.close();
  }

  #run(step: () => void | Promise<void>): void {
    try {
      const busy = step();
      if (busy === undefined) return;
      this.#busy = true;
      if (!this.#ending) this.#source.pause();
      busy.then(
        () => this.#settled(),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #settled(): void {
    if (this.#over) return;
    this.#busy = false;
    while (!this.#stopped()) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      this.#run(() => this.#stage.write(chunk));
    }
    if (this.#stopped()) return;
    if (this.#ending) this.#finish();
    else this.#source.resume();
  }

  /** A method, since calls in between change it. */
  #stopped(): boolean {
    return this.#busy || this.#over;
  }

  #finish(): void {
    let busy: void | Promise<void>;
    try {
      busy = this.#stage.end();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (busy === undefined) {
      this.close();
      return;
    }
    this.#busy = true;
    busy.then(
      () => this.close(),
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.close();
    this.#failed(error);
  }
}
