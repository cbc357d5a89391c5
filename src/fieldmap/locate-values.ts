import { normalisedSelector, type Selector } from "./json-path.ts";
import type { DocumentPlan, FieldHit } from "./types.ts";

/** A value of a sample body that a plan selects. */
export interface LocatedValue {
  readonly kind: "document" | "field" | "record";
  /** Normalised path from the body's root: `$['items'][0]['ssn']`. */
  readonly location: string;
  /** Location of its document; its own for documents. */
  readonly document: string;
  /** Index into the dataset's fields or the record rule's sources; 0 for documents. */
  readonly index: number;
}

/**
 * Every value of a parsed sample body that the plan selects, in document order: for `explain`, never for traffic, which is
 * not parsed. Throws `name_case` where sealing would.
 */
export function locateValues(plan: DocumentPlan, body: unknown): LocatedValue[] {
  const located: LocatedValue[] = [];
  const documents: string[] = [];

  const hit = (kind: "field" | "record", found: FieldHit, location: string): void => {
    const document = documents.at(-1 - found.documentsUp) ?? "";
    located.push({ kind, location, document, index: found.index });
  };

  const visit = (state: number, value: unknown, location: string): void => {
    if (state === 0) return;
    const facts = plan.facts(state);
    if (facts.field !== undefined) {
      hit("field", facts.field, location);
      return;
    }
    if (facts.record !== undefined) hit("record", facts.record, location);
    if (Array.isArray(value)) {
      for (const [index, element] of value.entries()) {
        visit(plan.guide.element(state, index), element, location + normalisedSelector({ kind: "index", index }));
      }
    } else if (typeof value === "object" && value !== null) {
      if (facts.document) {
        documents.push(location);
        located.push({ kind: "document", location, document: location, index: 0 });
      }
      for (const [name, member] of Object.entries(value)) {
        const selector: Selector = { kind: "name", name };
        visit(memberState(plan, state, name), member, location + normalisedSelector(selector));
      }
      if (facts.document) documents.pop();
    }
  };

  visit(plan.guide.root, body, "$");
  return located;
}

function memberState(plan: DocumentPlan, state: number, name: string): number {
  const bytes = Buffer.from(JSON.stringify(name), "utf8");
  return plan.guide.member(state, bytes, 1, bytes.length - 1, bytes.includes(0x5c));
}
