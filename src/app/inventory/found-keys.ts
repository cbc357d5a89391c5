import type { KeyReference } from "../../crypto/types.ts";

/** Distinct keys that are told apart; values under further ones are only counted. */
export const mostFoundKeys = 200_000;

/** A key that values name. */
export interface FoundKey {
  readonly form: KeyReference["form"];
  /** Keyring: the first 32 hex digits of its id; inline: all 64. */
  readonly id: string;
  /** The KEK that an inline value names. */
  readonly kek: string | undefined;
  values: number;
  /** When the newest file that names it was written, milliseconds since 1970. */
  seenAt: number;
}

/** Counts values by the key that they name. */
export class FoundKeys {
  readonly #keys = new Map<string, FoundKey>();
  /** Values whose key found no room here. */
  beyond = 0;
  /** All values. */
  values = 0;

  add(key: KeyReference, seenAt: number): void {
    this.values += 1;
    const inline = key.form === "inline";
    // Two KEKs may wrap one inline key: each is a row.
    const name = inline ? `${key.kek}|${key.id.toString("latin1")}` : key.shortId.toString("latin1");
    const known = this.#keys.get(name);
    if (known !== undefined) {
      known.values += 1;
      known.seenAt = Math.max(known.seenAt, seenAt);
    } else if (this.#keys.size >= mostFoundKeys) this.beyond += 1;
    else
      this.#keys.set(name, {
        form: key.form,
        id: (inline ? key.id : key.shortId).toString("hex"),
        kek: inline ? key.kek : undefined,
        values: 1,
        seenAt,
      });
  }

  all(): readonly FoundKey[] {
    return [...this.#keys.values()];
  }
}
