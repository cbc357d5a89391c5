import type { InlineKeys } from "../inline-keys.ts";
import type { DarkTimes, KeyOutlook, Outlook } from "./key-outlook.ts";
import type { KeyringKeys } from "../keyring-keys.ts";
import type { TrustedKey } from "../trusted-key.ts";

interface Forms {
  readonly inline: InlineKeys | undefined;
  readonly keyring: KeyringKeys | undefined;
}

/** Looks at the keys as they lie in memory; asks nobody, changes nothing. `now`: monotonic milliseconds. */
export function outlookOf({ inline, keyring }: Forms, now: number): Outlook {
  const ofKeyring = keyring === undefined ? nothing : keyringOutlook(keyring, now);
  const ofInline = inline === undefined ? nothing : inlineOutlook(inline, now);
  return {
    keys: [...ofKeyring.keys, ...ofInline.keys],
    firstDark: firstOf([ofKeyring.firstDark, ofInline.firstDark]),
    cold: { seal: ofKeyring.cold.seal + ofInline.cold.seal, open: ofKeyring.cold.open + ofInline.cold.open },
  };
}

const nothing: Outlook = Object.freeze({ keys: [], firstDark: {}, cold: { seal: 0, open: 0 } });

function keyringOutlook({ cache, index }: KeyringKeys, now: number): Outlook {
  if (index === undefined) return nothing;
  const warm = new Map(cache.entries());
  const keys = [...index.all()]
    .filter(({ entry }) => entry.state !== "retired")
    .map(({ id, entry: { state } }): KeyOutlook => {
      const key = warm.get(id);
      const opens = secondsUntil(key?.darkAt, now);
      return {
        key: id,
        form: "keyring",
        state,
        inMemory: key !== undefined,
        trustedFor: secondsUntil(key?.trustedUntil, now),
        ...(state === "active" ? { seals: opens } : {}),
        opens,
      };
    });
  // A scope goes dark with the last of its keys that could stand in; a deterministic one has no stand-in.
  const scopes = [...index.sealing()].map((active) => {
    const usable = active[0]?.entry.use === "deterministic" ? active.slice(0, 1) : active;
    return usable.flatMap(({ id }) => warm.get(id)?.darkAt ?? []);
  });
  const warmScopes = scopes.filter((ends) => ends.length > 0);
  return {
    keys,
    firstDark: {
      ...least(
        "seal",
        warmScopes.map((ends) => secondsUntil(Math.max(...ends), now)),
      ),
      ...least(
        "open",
        keys.filter(({ inMemory }) => inMemory).map(({ opens }) => opens),
      ),
    },
    cold: { seal: scopes.length - warmScopes.length, open: keys.filter(({ inMemory }) => !inMemory).length },
  };
}

function inlineOutlook(inline: InlineKeys, now: number): Outlook {
  const sealing = new Map<string, number>();
  const keys = new Map<string, TrustedKey>();
  for (const cache of inline.caches)
    for (const [, key] of cache.entries()) {
      const id = key.dataKey.id.toString("hex");
      keys.set(id, key);
      if (cache === inline.sealing) sealing.set(id, secondsUntil(inline.darkAt(key), now));
    }
  const rows = [...keys].map(([id, key]): KeyOutlook => {
    const seals = sealing.get(id);
    return {
      key: id,
      form: "inline",
      inMemory: true,
      trustedFor: secondsUntil(key.trustedUntil, now),
      ...(seals === undefined ? {} : { seals }),
      opens: secondsUntil(key.darkAt, now),
    };
  });
  return {
    keys: rows,
    firstDark: {
      ...least("seal", [...sealing.values()]),
      ...least(
        "open",
        rows.map(({ opens }) => opens),
      ),
    },
    cold: { seal: 0, open: 0 },
  };
}

function firstOf(all: readonly DarkTimes[]): DarkTimes {
  return {
    ...least(
      "seal",
      all.flatMap(({ seal }) => seal ?? []),
    ),
    ...least(
      "open",
      all.flatMap(({ open }) => open ?? []),
    ),
  };
}

function least(operation: "seal" | "open", seconds: readonly number[]): DarkTimes {
  return seconds.length === 0 ? {} : { [operation]: seconds.reduce((a, b) => Math.min(a, b)) };
}

function secondsUntil(at: number | undefined, now: number): number {
  return at === undefined ? 0 : Math.max(0, Math.round((at - now) / 100) / 10);
}
