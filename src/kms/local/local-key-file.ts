import { z } from "zod";
import { fromBase64url, toBase64url } from "../../base/bytes.ts";
import { quietJson } from "../../base/quiet-json.ts";
import { readSecretFile, secretFileRefused, writeSecretFile } from "../secret-file.ts";

/** `{ "apiVersion": "sealwright.dev/v1", "kind": "LocalKek", "key": base64url of 32 bytes }`, mode 0600 or stricter. */
const fileSchema = z.strictObject({
  apiVersion: z.literal("sealwright.dev/v1"),
  kind: z.literal("LocalKek"),
  key: z.string().length(43),
});

const keyBytes = 32;
const longestFile = 1024;

/** The key that the file holds; the caller zeroes it. Throws `key_file`. */
export async function readLocalKeyFile(path: string): Promise<Buffer> {
  const bytes = await readSecretFile(path, { longest: longestFile, readers: "owner" });
  try {
    return keyOf(bytes, path);
  } finally {
    bytes.fill(0);
  }
}

/** Writes `key` into a new file of mode 0600; never over an existing one. Throws `file_exists`, `key_file`. */
export async function writeLocalKeyFile(path: string, key: Buffer): Promise<void> {
  const file = { apiVersion: "sealwright.dev/v1", kind: "LocalKek", key: toBase64url(key) };
  await writeSecretFile(path, `${JSON.stringify(file, undefined, 2)}\n`);
}

function keyOf(bytes: Buffer, path: string): Buffer {
  const parsed = fileSchema.safeParse(quietJson(bytes.toString("utf8")));
  const key = parsed.success ? fromBase64url(parsed.data.key) : undefined;
  if (key?.length !== keyBytes) throw secretFileRefused(path, "no LocalKek file");
  return key;
}
