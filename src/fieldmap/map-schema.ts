import { z } from "zod";
import { brokenRule } from "../base/yaml/zod-problems.ts";
import { brokenMap, type BrokenMapRule } from "./map-rules.ts";
import { parsePath } from "./parse-path.ts";
import { parsePattern } from "./route-pattern.ts";
import { tenantPattern } from "./tenant.ts";

/** The shape of a field map file: every setting, nothing coerced, nothing unknown let through. */

const routedMethods = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "QUERY",
  "COPY",
  "MOVE",
  "SEARCH",
  "REPORT",
  "PROPFIND",
  "PURGE",
] as const;

/** Headers that mean something else to HTTP or to the upstream, or that name a person rather than a tenant. */
const otherHeaders =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|authorization|proxy-.*|cookie|accept.*|expect|range|if-.*)$/u;

const path = z
  .string()
  .superRefine((text, context) => {
    const parsed = parsePath(text);
    if (parsed.kind === "broken") context.addIssue(brokenRule(parsed.broken, [], parsed.character));
  })
  .describe("JSONPath (a subset of RFC 9535): names, wildcards, indexes from the front, descendants.");

/** A path from a document to something inside it. */
const innerPath = path.superRefine((text, context) => {
  if (text !== "$") return;
  context.addIssue(brokenRule(fieldIsDocument));
});

const fieldIsDocument = brokenMap(
  "field-is-document",
  "This path is the whole document.",
  "Name what is inside it, such as $.ssn or $.* for every member.",
);

const pattern = z
  .string()
  .superRefine((text, context) => {
    const parsed = parsePattern(text);
    if (parsed.kind === "broken") context.addIssue(brokenRule(parsed.broken, [], parsed.character));
  })
  .describe("Path of the request: literal segments, {capture}, * (one segment), ** (zero or more, once).");

const datasetName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,128}$/, "Write 1-128 characters A-Z a-z 0-9 . _ - only.")
  .describe("Kind of document. Every sealed value is bound to it.");

const fieldName = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}]{1,255}$/u, "Write 1-255 characters without control characters.")
  .describe("What a sealed value is bound to. Default: the normalised path. Never rename without formerly.");

const captureName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "Name a capture by letters, digits and _.");

const field = z
  .strictObject({
    name: fieldName.optional(),
    path: innerPath,
    mode: z.enum(["randomized", "deterministic"]).default("randomized"),
    pad: z
      .int("Write a whole number of bytes from 2 to 65536.")
      .min(2, "Write a whole number of bytes from 2 to 65536.")
      .max(65_536, "Write a whole number of bytes from 2 to 65536.")
      .optional()
      .describe("Clear values are padded to a multiple of this many bytes before they are sealed."),
    optional: z.boolean().default(true).describe("false: a document without the field is refused."),
    nulls: z.enum(["seal", "pass"]).optional().describe("Default: seal; deterministic fields always pass null."),
    phase: z.enum(["enforce", "migrate"]).default("enforce").describe("migrate: clear values pass on answers."),
    formerly: z.array(fieldName).min(1, "Give at least one name.").optional(),
    sealedInput: z.enum(["refuse", "reopen"]).default("refuse"),
  })
  .superRefine((value, context) => {
    if (value.mode !== "deterministic") return;
    const deny = (key: string, broken: BrokenMapRule): void => context.addIssue(brokenRule(broken, [key]));
    if (value.pad !== undefined) deny("pad", deterministicPad);
    if (value.nulls === "seal") deny("nulls", deterministicNulls);
    if (value.sealedInput === "reopen") deny("sealedInput", deterministicReopen);
  });

const deterministicPad = brokenMap(
  "deterministic-pad",
  "A deterministic field cannot be padded: equal values must seal equal.",
  "Remove pad, or make the field randomized.",
);
const deterministicNulls = brokenMap(
  "deterministic-nulls",
  "A deterministic field seals strings only; null always passes.",
  "Remove nulls, or make the field randomized.",
);
const deterministicReopen = brokenMap(
  "reopen-unbound",
  "A deterministic field is never bound to a record, so sealed input cannot be reopened for it.",
  "Remove sealedInput, or make the field randomized.",
);

const tenant = z
  .union([
    z.strictObject({
      header: z
        .string()
        .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, "Write the name of an HTTP header.")
        .superRefine((name, context) => {
          if (!otherHeaders.test(name.toLowerCase())) return;
          const message = "This header has another meaning.";
          context.addIssue(
            brokenRule(brokenMap("tenant-header", message, "Use a header of its own, such as x-tenant-id.")),
          );
        }),
    }),
    z.strictObject({ constant: z.string().regex(tenantPattern, "Write 1-128 characters A-Z a-z 0-9 . _ - only.") }),
    z.strictObject({ path: captureName }),
  ])
  .describe("Who owns the data: a request header, a constant, or a capture of the route's path.");

const recordSource = z.union([innerPath, z.strictObject({ path: captureName })]);

const record = z
  .union([z.literal("none"), z.array(recordSource).min(1, "Give a source, or write none.")])
  .describe("Where a document's record id stands: captures ({ path: id }) and paths in the document, or none.");

const whenAbsent = z.enum(["refuse", "unbound"]);

const selectors = z.array(path).min(1, "Give at least one selector, such as $.").describe("Where documents stand.");

const yes = z.literal(true);

const route = z.strictObject({
  match: z.strictObject({
    methods: z.array(z.enum(routedMethods)).min(1, "List at least one method, or remove methods for all.").optional(),
    path: pattern,
    captures: z
      .record(captureName, z.strictObject({ encodedSlash: z.literal("allow") }))
      .optional()
      .describe("Settings of captures by name."),
  }),
  record: record.optional(),
  whenAbsent: whenAbsent.optional(),
  passthrough: yes.optional().describe("Requests and answers pass as they are, unread."),
  request: z
    .union([z.strictObject({ seal: selectors }), z.strictObject({ pass: yes })])
    .optional()
    .describe("seal: documents whose fields are sealed. pass: JSON passes if no key names a mapped field."),
  query: z
    .enum(["refuse", "pass"])
    .optional()
    .describe(
      "Queries that name a mapped field: refuse (default) or pass, which sends their values to the store in clear.",
    ),
  response: z.strictObject({ open: selectors }).optional().describe("Documents whose fields are opened."),
});

export const fieldMapSchema = z.strictObject({
  apiVersion: z.literal("sealwright.dev/v1"),
  kind: z.literal("FieldMap"),
  dataset: datasetName,
  formerly: z.array(datasetName).min(1, "Give at least one name.").optional(),
  tenant,
  record: record.optional(),
  whenAbsent: whenAbsent.optional().describe("Default: refuse."),
  names: z.enum(["exact", "ignoreCase"]).default("exact"),
  onOpenFailure: z.enum(["refuse", "keepSealed"]).default("refuse"),
  fields: z.array(field).min(1, "Map at least one field."),
  routes: z.array(route).min(1, "Map at least one route."),
});

/** A field map as the file says it, defaults filled in. */
export type FieldMapFile = z.output<typeof fieldMapSchema>;
export type FieldFile = FieldMapFile["fields"][number];
export type RouteFile = FieldMapFile["routes"][number];
export type RecordFile = NonNullable<FieldMapFile["record"]>;

/** JSON Schema of field map files, for editors and CI. */
export function fieldMapJsonSchema(): object {
  return {
    $id: "https://sealwright.dev/schemas/v1/fieldmap.schema.json",
    title: "Sealwright field map",
    ...z.toJSONSchema(fieldMapSchema, { io: "input" }),
  };
}
