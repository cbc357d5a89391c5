import { z } from "zod";
import { sealedVersions } from "../../crypto/sealed-value.ts";
import { configMapName, namesConfigMap } from "../../keys/keyring/stores/config-map-name.ts";
import { count, duration, durationOrNone, durationWithin, filePath, name, parsedText, size } from "./scalars.ts";

const hour = 3_600_000;

const sealing = z.strictObject({
  age: duration.default(24 * hour).meta({ description: "Default 24h." }),
  values: count.default(2 ** 32).meta({ description: "Values sealed under one data key." }),
  bytes: size.default(2 ** 40).meta({ description: "Bytes sealed under one data key; default 1024GiB." }),
});

const cache = z.strictObject({
  age: duration.default(hour).meta({ description: "How long an unwrapped data key is trusted; default 1h." }),
  entries: count.default(10_000).meta({ description: "Most unwrapped data keys in memory." }),
});

const day = 24 * hour;

const rotation = z.strictObject({
  every: durationWithin({ rule: "rotation-every", least: day, most: Infinity })
    .optional()
    .meta({ description: "A new data key for each scope after this time, at least 1d; absent = never." }),
  decryptOnly: durationWithin({ rule: "decrypt-only-window", least: 30 * day, most: 90 * day })
    .default(60 * day)
    .meta({ description: "Until a key that seals no more is eligible to retire; 30d to 90d, default 60d." }),
});

const keyringPlace = parsedText("keyring-form", (text) => (isKeyringPlace(text) ? text : undefined), "^.+$");

function isKeyringPlace(text: string): boolean {
  return namesConfigMap(text) ? configMapName(text) !== undefined : text !== "";
}

const form = z.enum(["keyring", "inline"]);

/** The member `keys`. */
export const keysSchema = z.strictObject({
  form: form.meta({ description: "keyring: keys in a file of their own. inline: each value carries its wrapped key." }),
  kek: name.meta({ description: "The member of kms that wraps new data keys." }),
  wraps: z
    .array(name)
    .min(1, "Name at least one KEK, or leave the setting out.")
    .optional()
    .meta({ description: "Further members of kms that wrap every keyring entry, in order of preference." }),
  keyring: keyringPlace.optional().meta({
    description:
      "The keyring file, the folder of its shards, or configmap:namespace/name. Mounting a ConfigMap is better.",
  }),
  rootId: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "Write the 64 hex digits that keys init printed.")
    .optional()
    .meta({ description: "Pins the keyring's root." }),
  accept: z
    .array(form)
    .min(1, "Name at least one form, or leave the setting out.")
    .optional()
    .meta({ description: "Forms that are opened; default the configured form." }),
  minVersion: z
    .enum(sealedVersions)
    .optional()
    .meta({ description: "The oldest version of sealed values that is opened. There is one yet: swr1." }),
  rotation: rotation.optional().meta({ description: "What keys rotate --due does." }),
  usageReport: filePath
    .optional()
    .meta({ description: "Where counts of values per key are kept through restarts; keys inventory reads it." }),
  sealing: sealing.prefault({}).meta({ description: "When a data key is overdue for a new one." }),
  cache: cache.prefault({}),
  outageBudget: durationOrNone
    .default(hour)
    .meta({ description: "How long cached keys are used beyond cache.age while the key service is out of reach." }),
});

export type KeysFile = z.output<typeof keysSchema>;
