import type { Binding, KeyReference, SealedValue, Sealing } from "../../crypto/types.ts";
import { throwawayDataKey } from "../../crypto/throwaway-data-key.ts";
import type { LiveKeys } from "../../keys/keys.ts";

/** One value that the engine sealed or asked to open. */
export interface KeyUseSeen {
  readonly field: string;
  readonly record: string | undefined;
  /** First 16 digits of the id of the key that a sealed value names; absent where something is sealed. */
  readonly keyId?: string;
}

/** Keys that nothing wraps, and what they were asked for. */
export interface SampleKeys {
  readonly keys: LiveKeys;
  readonly seen: readonly KeyUseSeen[];
  end(): void;
}

/**
 * Keys for showing what the engine does with a sample: seals are real, under a key of this process only; whatever is to be
 * opened opens as the text `"<opened: field>"`, since the real keys are not asked.
 */
export function sampleKeys(): SampleKeys {
  const dataKey = throwawayDataKey();
  const reference = { form: "keyring" as const, shortId: dataKey.shortId };
  const seen: KeyUseSeen[] = [];
  const note = ({ field, record }: Binding, key?: KeyReference): void => {
    const id = key?.form === "inline" ? key.id : key?.shortId;
    seen.push({ field, record, ...(id === undefined ? {} : { keyId: id.toString("hex", 0, 8) }) });
  };
  const keys: LiveKeys = {
    snapshot: () => keys,
    sealer: () => ({
      reference,
      standsIn: false,
      seal: (sealing: Sealing) => {
        note(sealing.binding);
        return dataKey.seal(sealing, reference);
      },
      release: () => undefined,
    }),
    opener: () => ({
      open: (value: SealedValue, binding: Binding) => {
        note(binding, value.key);
        return Buffer.from(JSON.stringify(`<opened: ${binding.field}>`));
      },
      release: () => undefined,
    }),
  };
  return { seen, keys, end: () => dataKey.release() };
}
