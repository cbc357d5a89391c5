import type { BrokenRule } from "../base/yaml/problem.ts";

/** Every rule of a field map beyond its shape, with what it keeps true. Names are public and permanent. */
export const mapRules = {
  "path-syntax": "A path is JSONPath as RFC 9535 writes it.",
  "path-unsupported": "A path keeps to names, wildcards, indexes from the front and descendants.",
  "path-never-matches": "A field's path can meet something in a document, which is an object.",
  "field-is-document": "A field or record is inside its document, not the document itself.",
  "field-name-twice": "Names and former names of the fields of one dataset are unique.",
  "field-overlap": "No value is selected by two fields, and none stands inside another field's value by name.",
  "field-shape": "A container on the way to two fields can be what both need.",
  "deterministic-pad": "Deterministic fields are not padded.",
  "deterministic-nulls": "Null passes in deterministic fields.",
  "reopen-unbound": "Sealed input is reopened only where a record is bound.",
  "record-not-singular": "A record's source selects at most one value.",
  "record-twice": "A record's source stands once.",
  "record-overlap": "A value is the record of one document only.",
  "record-in-field": "A record's source stays readable: it is neither a field nor in one, nor does it hold one.",
  "record-capture": "A capture that a record names is in a route's path.",
  "record-without-route": "Every route that seals or opens has a source for the record, or says that it has none.",
  "record-contradiction": "A route's record settings say one thing and have an effect.",
  "tenant-capture": "Every route of a map whose tenant is in the path has that capture.",
  "tenant-header": "The tenant's header is one that only names the tenant.",
  "document-in-field": "A document is not inside a sealed value.",
  "document-overlap": "No document is selected twice.",
  "dataset-twice": "Names and former names of datasets are unique.",
  "pattern-form": "A route's path is segments of text, {capture}, * and at most one **.",
  "capture-unknown": "Settings of a capture belong to a capture of the route's path.",
  "method-twice": "A route lists a method once.",
  "route-contradiction": "A passthrough route has no other rule.",
  "route-without-rule": "A route has a rule.",
  "route-tie": "Of two routes one is more specific, or their methods differ.",
  "pass-without-name": "A request may pass only where every mapped field has a name to look for.",
  "map-too-complex": "A map's paths compile into a bounded number of states.",
} as const satisfies Readonly<Record<string, string>>;

export type MapRule = keyof typeof mapRules;

/** Warnings: a map that has them loads. */
export const mapWarnings = {
  "size-growth": "Sealed values are longer than clear ones, and always strings.",
  "not-searchable-yet": "Deterministic fields are equal when sealed, but no query is rewritten yet.",
  "descendant-cost": "A descendant segment looks at every key below it.",
  "unbound-values": "Values that are not bound to a record can be moved between records of one tenant and dataset.",
  "keep-sealed": "A value that cannot be opened reaches the app sealed.",
  migrating: "Clear values pass on answers.",
} as const satisfies Readonly<Record<string, string>>;

export type MapWarning = keyof typeof mapWarnings;

export interface BrokenMapRule extends BrokenRule {
  readonly rule: MapRule;
}

/** A broken rule of the table above. */
export function brokenMap(rule: MapRule, message: string, fix: string): BrokenMapRule {
  return { rule, message, fix };
}
