/** The field map as the rest of the program sees it: typed, frozen, checked. Files: DESIGN.md "Field map". */

export type Mode = "randomized" | "deterministic";

export interface Field {
  /** What the AAD binds; default the normalised path. */
  readonly name: string;
  /** Older names, opened too. */
  readonly formerly: readonly string[];
  /** As written in the file. */
  readonly path: string;
  readonly mode: Mode;
  readonly pad: number | undefined;
  readonly optional: boolean;
  readonly nulls: "seal" | "pass";
  readonly phase: "enforce" | "migrate";
  readonly sealedInput: "refuse" | "reopen";
}

export type TenantSource =
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "constant"; readonly tenant: string }
  | { readonly kind: "path"; readonly capture: string };

export type RecordSource =
  { readonly kind: "path"; readonly capture: string } | { readonly kind: "document"; readonly path: string };

export interface RecordRule {
  /** Empty = `record: none`. */
  readonly sources: readonly RecordSource[];
  readonly whenAbsent: "refuse" | "unbound";
}

export interface Dataset {
  readonly name: string;
  readonly formerly: readonly string[];
  readonly fields: readonly Field[];
  readonly tenant: TenantSource;
  readonly names: "exact" | "ignoreCase";
  readonly onOpenFailure: "refuse" | "keepSealed";
  /** File that holds it, for messages. */
  readonly file: string;
}

/** What a live state of a plan means. Several can hold at once (`[$, "$[*]"]`, a document inside a document). */
export interface StateFacts {
  /** The value is a document: an object here is one, an array is fine only when `arrayEntered`. */
  readonly document: boolean;
  /** Another selector of the list enters this value when it is an array. */
  readonly arrayEntered: boolean;
  /** Index into `Dataset.fields` when the value is a field, with how many documents up its document is (0 = innermost). */
  readonly field: FieldHit | undefined;
  /** Index into the record rule's sources when the value is a record source. */
  readonly record: FieldHit | undefined;
  /** Containers that a field's path needs here: wrong ones are `field_shape`. */
  readonly expects: "object" | "array" | "either" | undefined;
}

export interface FieldHit {
  readonly index: number;
  readonly documentsUp: number;
}

/** A compiled list of document selectors with the fields and record sources below them: the codec's guide plus the facts. */
export interface DocumentPlan {
  /** Walks the plan's states, all built at load and shared by every walk. Satisfies the codec's JsonGuide. */
  readonly guide: PlanGuide;
  facts(state: number): StateFacts;
  readonly record: RecordRule;
}

export interface PlanGuide {
  readonly root: number;
  member(state: number, bytes: Buffer, start: number, end: number, escaped: boolean): number;
  element(state: number, index: number): number;
}

export type RequestRule =
  | { readonly kind: "seal"; readonly plan: DocumentPlan }
  /** JSON passes, but no key equal to a mapped field's last name: the guide throws `mapped_name`. */
  | { readonly kind: "pass"; readonly guide: PlanGuide }
  | { readonly kind: "none" };

export interface Route {
  /** Safe for logs and metric labels: dataset, methods and pattern as in the file. */
  readonly label: string;
  readonly dataset: Dataset;
  readonly methods: readonly string[] | undefined;
  readonly pattern: string;
  readonly passthrough: boolean;
  readonly request: RequestRule;
  readonly open: DocumentPlan | undefined;
  /** True for a request target whose query would carry a mapped field in clear; absent where the route says `query: pass`. */
  readonly namesInQuery: ((target: string) => boolean) | undefined;
}

/** What the route table says of one request. Captures are decoded text. */
export type RouteVerdict =
  | { readonly kind: "route"; readonly route: Route; readonly captures: ReadonlyMap<string, string> }
  /** `code`: path_refused, no_route, method_not_allowed. `allow`: methods for the Allow header of a 405. */
  | {
      readonly kind: "refuse";
      readonly code: "path_refused" | "no_route" | "method_not_allowed";
      readonly reason: string;
      readonly allow: readonly string[];
    };

/** All maps of one listener. */
export interface RouteTable {
  /** `target` = the request target as received, query included. HEAD follows GET. */
  match(method: string, target: string): RouteVerdict;
  readonly routes: readonly Route[];
}
