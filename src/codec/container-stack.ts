import { grown } from "./typed-growth.ts";

/**
 * The containers that are open, outermost first, as plain integers: no recursion and no object per container. The innermost
 * one's facts are fields. At depth 0 a pretended object holds the root value as its one member.
 */
export class ContainerStack {
  depth = 0;
  /** The innermost container is an object; else an array. */
  inObject = true;
  /** Its guide state; 0 = dead. */
  state: number;
  /** Elements of it that began so far. Kept for live arrays only. */
  index = 0;
  #saved = new Int32Array(15);

  constructor(root: number) {
    this.state = root;
  }

  push(isObject: boolean, state: number): void {
    const top = this.depth * 3;
    this.#saved = grown(this.#saved, top + 3);
    this.#saved[top] = this.inObject ? 1 : 0;
    this.#saved[top + 1] = this.state;
    this.#saved[top + 2] = this.index;
    this.depth += 1;
    this.inObject = isObject;
    this.state = state;
    this.index = 0;
  }

  pop(): void {
    this.depth -= 1;
    const top = this.depth * 3;
    this.inObject = this.#saved[top] === 1;
    this.state = this.#saved[top + 1] as number;
    this.index = this.#saved[top + 2] as number;
  }
}
