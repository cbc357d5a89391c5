import type { DocumentPlan, FieldHit } from "../fieldmap/types.ts";
import { RecordClaim } from "./record-claim.ts";

/** One document while the codec walks it. */
export class WalkedDocument {
  readonly record: RecordClaim;
  /** Fields met, by index. */
  readonly met: Uint8Array;
  /** Some value of it is, or will be, bound to its record. */
  holdsBound = false;

  constructor(record: RecordClaim, fields: number) {
    this.record = record;
    this.met = new Uint8Array(fields);
  }
}

/** Documents under way, outermost first: a document may stand inside another. */
export class DocumentStack {
  readonly #plan: DocumentPlan;
  readonly #captures: ReadonlyMap<string, string>;
  readonly #fields: number;
  readonly #open: WalkedDocument[] = [];
  /** Documents begun so far. */
  count = 0;

  constructor(plan: DocumentPlan, captures: ReadonlyMap<string, string>, fields: number) {
    this.#plan = plan;
    this.#captures = captures;
    this.#fields = fields;
  }

  push(): void {
    this.count += 1;
    this.#open.push(new WalkedDocument(new RecordClaim(this.#plan.record, this.#captures), this.#fields));
  }

  /** Ends the innermost document: no more record sources can come. */
  pop(): WalkedDocument | undefined {
    const document = this.#open.pop();
    document?.record.finish();
    return document;
  }

  /** The document that a hit belongs to. */
  of(hit: FieldHit): WalkedDocument | undefined {
    return this.#open.at(-1 - hit.documentsUp);
  }
}
