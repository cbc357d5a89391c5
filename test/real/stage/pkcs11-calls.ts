import pkcs11js from "pkcs11js";

type Args = unknown[];
type Original = (args: Args) => unknown;
type Rule = (original: Original, args: Args) => unknown;

/** How often a call was made. */
export interface CallCount {
  calls: number;
}

/** Stands between the program and the binding: libraries that are loaded meanwhile make their calls by its rules. */
export class Pkcs11Calls implements Disposable {
  readonly #original = pkcs11js.PKCS11;
  readonly #rules = new Map<string, Rule>();

  constructor() {
    const rules = this.#rules;
    class Ruled extends this.#original {
      constructor() {
        super();
        const methods = this as unknown as Record<string, (...args: Args) => unknown>;
        for (const name of Object.keys(methods).filter((key) => key.startsWith("C_"))) {
          const method = methods[name]?.bind(this);
          if (method === undefined) continue;
          const original: Original = (args) => method(...args);
          methods[name] = (...args) => (rules.get(name) ?? plain)(original, args);
        }
      }
    }
    this.#put(Ruled);
  }

  count(name: string): CallCount {
    const count = { calls: 0 };
    this.rule(name, (original, args) => {
      count.calls += 1;
      return original(args);
    });
    return count;
  }

  rule(name: string, rule: Rule): void {
    this.#rules.set(name, rule);
  }

  /** No rules any more. */
  clear(): void {
    this.#rules.clear();
  }

  [Symbol.dispose](): void {
    this.#put(this.#original);
  }

  #put(constructor: typeof pkcs11js.PKCS11): void {
    Object.assign(pkcs11js, { PKCS11: constructor });
  }
}

const plain: Rule = (original, args) => original(args);
