import { z } from "zod";
import { count, duration, filePath, name, size } from "./scalars.ts";

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

const form = z.enum(["keyring", "inline"]);

/** The member `keys`. */
export const keysSchema = z.strictObject({
  form: form.meta({ description: "keyring: keys in a file of their own. inline: each value carries its wrapped key." }),
  kek: name.meta({ description: "The member of kms that wraps new data keys." }),
  keyring: filePath.optional().meta({ description: "The keyring file, or the folder of its shards." }),
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
  sealing: sealing.prefault({}).meta({ description: "When a data key is overdue for a new one." }),
  cache: cache.prefault({}),
  outageBudget: duration
    .default(hour)
    .meta({ description: "How long cached keys are used beyond cache.age while the key service is out of reach." }),
});

export type KeysFile = z.output<typeof keysSchema>;
