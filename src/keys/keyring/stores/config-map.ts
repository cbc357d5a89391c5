import { z } from "zod";
import { SealwrightError } from "../../../base/sealwright-error.ts";
import { printKeyringFile, type KeyringFile } from "../keyring-file.ts";
import type { StoredBytes } from "../keyring-store.ts";
import type { ConfigMapName } from "./config-map-name.ts";

/** What the API accepts: bytes of all names and values together. */
const longestData = 1024 * 1024;

const schema = z.object({
  kind: z.literal("ConfigMap"),
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    resourceVersion: z.string().min(1).max(256),
  }),
  data: z.record(z.string(), z.string()).default({}),
  binaryData: z.record(z.string(), z.unknown()).default({}),
});

export type ConfigMapText = Readonly<Record<string, string>>;

/** Files of a ConfigMap as the API gives it. Throws `keyring_invalid`. */
export function filesOf(body: unknown, { namespace, name }: ConfigMapName): readonly StoredBytes[] {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw invalid("no ConfigMap");
  const { metadata, data, binaryData } = parsed.data;
  if (metadata.name !== name || metadata.namespace !== namespace) throw invalid("another ConfigMap");
  const keys = Object.keys(data);
  if (Object.keys(binaryData).length > 0 || keys.some((key) => !/^(keyring|shard-[0-9]{1,5})\.json$/.test(key)))
    throw invalid("data that is no keyring's");
  return keys
    .toSorted()
    .map((key) => ({ name: key, bytes: Buffer.from(data[key] ?? ""), version: metadata.resourceVersion }));
}

/** The name in `data` that a file is stored under. */
export function dataKeyOf({ shard: { index, count } }: KeyringFile): string {
  return count === 1 ? "keyring.json" : `shard-${index}.json`;
}

/** Throws `store_full`. */
export function dataOf(files: readonly KeyringFile[]): ConfigMapText {
  const data = Object.fromEntries(files.map((file) => [dataKeyOf(file), printKeyringFile(file)]));
  assertFits(Object.entries(data).map(([key, text]) => key.length + Buffer.byteLength(text)));
  return data;
}

/** Throws `store_full`: told before the API is asked, which would only say no. */
export function assertFits(lengths: readonly number[]): void {
  const sum = lengths.reduce((all, each) => all + each, 0);
  if (sum > longestData)
    throw new SealwrightError("store_full", { reason: `${sum} bytes of data, where ${longestData} fit` });
}

function invalid(reason: string): SealwrightError {
  return new SealwrightError("keyring_invalid", { reason });
}
