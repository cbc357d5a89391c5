import { z } from "zod";
import { fromBase64url } from "../../base/bytes.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { oneSpelling } from "./one-spelling.ts";

/**
 * One keyring file: a whole keyring, or one shard of it.
 *
 *     { apiVersion, kind: "Keyring", generation, shard: { index, count }, root: { id, wraps }, entries, mac }
 *     entry = { id, use, scope: { tenant?, dataset? }, state, createdAt, notBefore, wraps: [{ kek, wrapped }] }
 *
 * `notBefore`: of a pending key the earliest time at which it may become active, of any other the time since which it is in its
 * state. A retired key may have no wraps: it is destroyed, and its entry stays so that its id is never taken for unknown.
 *
 * Ids: 64 lower-case hex digits. `wrapped`, `mac`: base64url without padding. Times: YYYY-MM-DDTHH:MM:SSZ. Entries sorted by
 * id. Absent members are left out, never null. An entry lies in shard (first u32 of its id mod count).
 */
const hexId = z.string().regex(/^[0-9a-f]{64}$/);

/** A wrapped key at most, in bytes: what an inline value can carry. */
export const longestWrapped = 0xffff;
const wrapSchema = z.strictObject({
  kek: z.string().regex(/^[a-z0-9-]{1,63}$/),
  wrapped: base64url((bytes) => bytes.length >= 1 && bytes.length <= longestWrapped),
});

const anyWrapsSchema = z
  .array(wrapSchema)
  .max(16)
  .refine((wraps) => new Set(wraps.map(({ kek }) => kek)).size === wraps.length);
const wrapsSchema = anyWrapsSchema.min(1);

const time = z.string().refine(isTime);

const entrySchema = z
  .strictObject({
    id: hexId,
    use: z.enum(["randomized", "deterministic"]),
    scope: z.strictObject({
      tenant: z.exactOptional(z.string().regex(/^[A-Za-z0-9._-]{1,128}$/)),
      // What the field map lets a dataset be called; printable, so that every spelling is one.
      dataset: z.exactOptional(z.string().regex(/^[\x21-\x7e]{1,128}$/)),
    }),
    state: z.enum(["pending", "active", "decrypt-only", "retired"]),
    createdAt: time,
    notBefore: time,
    wraps: anyWrapsSchema,
  })
  .refine(({ state, wraps }) => state === "retired" || wraps.length > 0);

export const maxShards = 65_536;
const fileSchema = z.strictObject({
  apiVersion: z.literal("sealwright.dev/v1"),
  kind: z.literal("Keyring"),
  generation: z.int().min(1),
  shard: z
    .strictObject({ index: z.int().min(0), count: z.int().min(1).max(maxShards) })
    .refine(({ index, count }) => index < count),
  root: z.strictObject({ id: hexId, wraps: wrapsSchema }),
  entries: z.array(entrySchema),
  mac: base64url((bytes) => bytes.length === 32),
});

export type KeyringFile = DeepReadonly<z.output<typeof fileSchema>>;
export type KeyringEntry = KeyringFile["entries"][number];
export type KeyringWrap = KeyringEntry["wraps"][number];
export type KeyState = KeyringEntry["state"];

type DeepReadonly<T> = { readonly [K in keyof T]: T[K] extends object ? DeepReadonly<T[K]> : T[K] };

/** Reads one file's text. The MAC is not checked yet. Throws `keyring_invalid`, with the offending member in its reason. */
export function parseKeyringFile(bytes: Buffer): KeyringFile {
  const json = oneSpelling(bytes);
  if (json === undefined) throw invalid("no JSON in its one spelling");
  const parsed = fileSchema.safeParse(json.value);
  if (!parsed.success) throw invalid(placeOf(parsed.error.issues[0]?.path ?? []));
  checkEntries(parsed.data);
  return parsed.data;
}

/** The text of a file, two spaces a level, with a line break at its end. */
export function printKeyringFile(file: KeyringFile): string {
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** The shard, of `count`, that the entry with this id lies in. */
export function shardOf(id: string, count: number): number {
  return Number.parseInt(id.slice(0, 8), 16) % count;
}

/** `ms` since 1970 as a keyring writes times: whole seconds, cut. */
export function printTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function checkEntries(file: KeyringFile): void {
  let before = "";
  for (const { id } of file.entries) {
    if (id <= before) throw invalid("entries not sorted or an id twice");
    if (shardOf(id, file.shard.count) !== file.shard.index) throw invalid("entry in the wrong shard");
    if (id === file.root.id) throw invalid("the root among the entries");
    before = id;
  }
}

function base64url(fits: (bytes: Buffer) => boolean) {
  return z.string().refine((text) => {
    const bytes = fromBase64url(text);
    return bytes !== undefined && fits(bytes);
  });
}

/** YYYY-MM-DDTHH:MM:SSZ, and a time that the calendar has. */
export function isTime(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return false;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && printTime(ms) === text;
}

/** Names of members and indexes only; an unknown member's own name stays out. */
function placeOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "top level" : path.map(String).join(".");
}

function invalid(reason: string): SealwrightError {
  return new SealwrightError("keyring_invalid", { reason });
}
