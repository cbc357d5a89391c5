import { kmsCases, type KmsCase } from "./kms-stage.ts";

/** What came of each case at each provider, as a table. */
export class KmsMatrix {
  readonly #results = new Map<string, Map<KmsCase, string>>();

  /** `result`: `yes`, `NO`, or `n/a: ` and the reason. */
  set(provider: string, name: KmsCase, result: string): void {
    const row = this.#results.get(provider) ?? new Map<KmsCase, string>();
    row.set(name, result);
    this.#results.set(provider, row);
  }

  get providers(): readonly string[] {
    return [...this.#results.keys()];
  }

  of(provider: string, name: KmsCase): string {
    return this.#results.get(provider)?.get(name) ?? "not run";
  }

  /** Cases down, providers across; reasons as notes beneath. */
  toString(): string {
    const notes: string[] = [];
    const cell = (provider: string, name: KmsCase): string => {
      const result = this.of(provider, name);
      if (!result.startsWith("n/a: ")) return result;
      const reason = result.slice("n/a: ".length);
      const known = notes.indexOf(reason);
      return `n/a ${known >= 0 ? known + 1 : notes.push(reason)}`;
    };
    const rows = kmsCases.map((name) => [name, ...this.providers.map((provider) => cell(provider, name))]);
    const table = [["case", ...this.providers], ...rows];
    const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
    const lines = table.map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
    return [...lines, "", ...notes.map((reason, index) => `n/a ${index + 1}: ${reason}`)].join("\n");
  }
}
