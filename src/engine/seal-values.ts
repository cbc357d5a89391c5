import type { Interest, JsonKind, JsonSplicer } from "../codec/json-events.ts";
import { decodeJsonString } from "../codec/decode-string.ts";
import { SealwrightError, type ErrorFacts } from "../base/sealwright-error.ts";
import type { ErrorCode } from "../base/error-table.ts";
import type { Binding, SealedValue } from "../crypto/types.ts";
import { parseSealedValue } from "../crypto/sealed-value.ts";
import type { OpeningKey, SealingKey } from "../keys/keys.ts";
import type { Dataset, DocumentPlan, Field, FieldHit, StateFacts } from "../fieldmap/types.ts";
import type { BorrowedKeys } from "./borrowed-keys.ts";
import type { Exchange } from "./engine.ts";
import type { EngineContext } from "./engine-context.ts";
import { recordText } from "./record-claim.ts";
import type { ValueWork } from "./spliced-body.ts";
import { ValueCounts } from "./value-counts.ts";
import { DocumentStack, type WalkedDocument } from "./walked-document.ts";

interface CapturedValue {
  readonly slot: number;
  readonly hit: FieldHit;
  readonly field: Field;
  readonly document: WalkedDocument;
  readonly kind: JsonKind;
  readonly bytes: Buffer;
  readonly position: number;
  /** What the client sent in its place: a clear value or one that is sealed. Undefined until looked at. */
  input: "clear" | SealedValue | undefined;
}

const letterS = 0x73;
const backslash = 0x5c;

/** A cheap look before decoding: a sealed value's first character is `s`, written so or escaped. */
function mayBeSealed(value: CapturedValue): boolean {
  return value.kind === "string" && (value.bytes[1] === letterS || value.bytes[1] === backslash);
}

const waitsForRecord = ({ field, document }: CapturedValue): boolean =>
  field.mode === "randomized" && document.record.state === "waiting";

/** Requests on a route that seals: checks the body's shape against the plan and seals what the plan names. */
export class SealValues implements ValueWork {
  readonly loneSurrogates = "refuse";
  readonly #plan: DocumentPlan;
  readonly #dataset: Dataset;
  readonly #exchange: Exchange;
  readonly #context: EngineContext;
  readonly #keys: BorrowedKeys;
  readonly #documents: DocumentStack;
  readonly #counts: ValueCounts;
  #captured: CapturedValue[] = [];
  #capturedAt = 0;
  #arrayEntered = false;
  #unboundDocuments = 0;

  constructor(plan: DocumentPlan, exchange: Exchange, context: EngineContext, keys: BorrowedKeys) {
    this.#plan = plan;
    this.#dataset = exchange.route.dataset;
    this.#exchange = exchange;
    this.#context = context;
    this.#keys = keys;
    this.#documents = new DocumentStack(plan, exchange.captures, this.#dataset.fields.length);
    this.#counts = new ValueCounts(this.#dataset);
  }

  get waitsForRecord(): boolean {
    return this.#captured.length > 0;
  }

  begin(state: number, kind: JsonKind, offset: number): Interest {
    const facts = this.#plan.facts(state);
    if (facts.field !== undefined) return this.#beginField(facts.field, kind, offset);
    if (facts.record !== undefined) return this.#beginRecord(facts, kind, offset);
    if (facts.document) return this.#beginDocument(facts, kind, offset);
    return this.#beginContainer(facts, kind, offset);
  }

  peeked(state: number, kind: JsonKind, bytes: Buffer, offset: number): void {
    const hit = this.#plan.facts(state).record;
    const claim = hit === undefined ? undefined : this.#documents.of(hit)?.record;
    if (claim === undefined) return;
    try {
      claim.claim(recordText(kind, bytes));
    } catch (error) {
      throw error instanceof SealwrightError
        ? error.withFacts({ position: offset, dataset: this.#dataset.name })
        : error;
    }
    if (claim.state === "conflict") throw this.#refusal("record_conflict", { position: offset });
  }

  captured(state: number, kind: JsonKind, bytes: Buffer, slot: number): void {
    const hit = this.#plan.facts(state).field;
    const field = hit && this.#dataset.fields[hit.index];
    const document = hit && this.#documents.of(hit);
    if (hit === undefined || field === undefined || document === undefined)
      throw new SealwrightError("internal", { reason: "capture without a document" });
    this.#captured.push({ slot, hit, field, document, kind, bytes, position: this.#capturedAt, input: undefined });
  }

  leave(state: number): void {
    if (!this.#plan.facts(state).document) return;
    const document = this.#documents.pop();
    if (document === undefined) return;
    for (const [index, field] of this.#dataset.fields.entries()) {
      if (!field.optional && document.met[index] !== 1) throw this.#refusal("field_missing", { field: field.name });
    }
    if (document.holdsBound && document.record.state === "absent") {
      if (this.#plan.record.sources.length > 0 && this.#plan.record.whenAbsent === "refuse")
        throw this.#refusal("record_missing", {});
      this.#unboundDocuments += 1;
    }
  }

  finish(): void {
    if (this.#documents.count === 0 && !this.#arrayEntered)
      throw this.#refusal("document_shape", { reason: "no selector met a document" });
  }

  settleReady(splicer: JsonSplicer): void | Promise<void> {
    // All are looked at before a key is asked for: a body that is refused for one of them costs no key.
    for (const value of this.#captured) {
      if (!waitsForRecord(value)) value.input ??= this.#look(value);
    }
    const waiting: CapturedValue[] = [];
    for (const [index, value] of this.#captured.entries()) {
      if (waitsForRecord(value)) {
        waiting.push(value);
        continue;
      }
      const settling = this.#settle(value, splicer);
      if (settling !== undefined) {
        this.#captured = [...waiting, ...this.#captured.slice(index)];
        return settling.then(() => this.settleReady(splicer));
      }
    }
    this.#captured = waiting;
    return undefined;
  }

  close(complete: boolean): void {
    this.#keys.releaseAll();
    this.#captured = [];
    if (!complete) return;
    this.#counts.report(this.#context.metrics);
    if (this.#unboundDocuments > 0) {
      this.#context.metrics.count(
        "sealwright_unbound_documents_total",
        { dataset: this.#dataset.name },
        this.#unboundDocuments,
      );
    }
  }

  #beginField(hit: FieldHit, kind: JsonKind, offset: number): Interest {
    const field = this.#dataset.fields[hit.index];
    const document = this.#documents.of(hit);
    if (field === undefined || document === undefined)
      throw new SealwrightError("internal", { reason: "field without a document" });
    document.met[hit.index] = 1;
    if (kind === "null" && (field.nulls === "pass" || field.mode === "deterministic" || this.#exchange.mergePatch))
      return "skip";
    const facts = { field: field.name, position: offset };
    if (kind === "object" && this.#exchange.mergePatch) throw this.#refusal("merge_patch_object", facts);
    if (field.mode === "deterministic" && kind !== "string")
      throw this.#refusal("field_type", { ...facts, reason: kind });
    if (field.mode === "randomized") document.holdsBound = true;
    this.#capturedAt = offset;
    return "capture";
  }

  #beginRecord(facts: StateFacts, kind: JsonKind, offset: number): Interest {
    if (kind === "string" || kind === "number") return "peek";
    // A record source may also be a container on some other path; only a scalar or null can be the record itself.
    if (kind === "null") return "skip";
    if (facts.expects !== undefined || facts.document) return this.#beginContainer(facts, kind, offset);
    throw this.#refusal("record_invalid", { position: offset, reason: kind });
  }

  #beginDocument(facts: StateFacts, kind: JsonKind, offset: number): Interest {
    if (kind === "null") return "skip";
    if (kind === "object") {
      this.#documents.push();
      return "enter";
    }
    if (kind === "array" && facts.arrayEntered) {
      this.#arrayEntered = true;
      return "enter";
    }
    throw this.#refusal("document_shape", { position: offset, reason: kind });
  }

  #beginContainer(facts: StateFacts, kind: JsonKind, offset: number): Interest {
    if (kind === "null") return "skip";
    if (kind === "array" && facts.arrayEntered) this.#arrayEntered = true;
    const container = kind === "object" || kind === "array";
    const fits = facts.expects === undefined || (container && (facts.expects === "either" || facts.expects === kind));
    if (!fits) throw this.#refusal("field_shape", { position: offset, reason: kind });
    return container ? "enter" : "skip";
  }

  /** Throws `already_sealed`; `open_failed` for what may be reopened but cannot be. */
  #look(value: CapturedValue): "clear" | SealedValue {
    const text = mayBeSealed(value) ? this.#decode(value) : undefined;
    const sealed = text === undefined ? undefined : parseSealedValue(text);
    if (sealed === undefined) return "clear";
    if (value.field.sealedInput === "refuse" || value.document.record.record === undefined)
      throw this.#refusalOf(value, "already_sealed");
    if (!sealed.recordBound || sealed.rawBytes) throw this.#refusalOf(value, "open_failed", "not bound to a record");
    return sealed;
  }

  #settle(value: CapturedValue, splicer: JsonSplicer): Promise<void> | undefined {
    const scope = { tenant: this.#exchange.tenant, dataset: this.#dataset.name };
    const sealedAlready = value.input === "clear" ? undefined : value.input;
    let reopener: OpeningKey | undefined;
    if (sealedAlready !== undefined) {
      const opener = this.#keys.opener(sealedAlready.key, scope);
      if (opener instanceof Promise) return opener.then(() => undefined);
      reopener = opener;
    }
    const sealer = this.#keys.sealer(scope, value.field.mode);
    if (sealer instanceof Promise) return sealer.then(() => undefined);
    const plaintext =
      sealedAlready !== undefined && reopener !== undefined
        ? this.#located(value, () => reopener.open(sealedAlready, this.#binding(value)))
        : value.bytes;
    splicer.settle(value.slot, this.#seal(value, plaintext, sealer));
    this.#counts.add("sealwright_values_sealed_total", value.hit.index);
    return undefined;
  }

  #seal(value: CapturedValue, plaintext: Buffer, sealer: SealingKey): Buffer {
    const deterministic = value.field.mode === "deterministic";
    const token = sealer.seal({
      suite: deterministic ? 2 : 1,
      plaintext,
      rawBytes: false,
      binding: this.#binding(value),
      ...(value.field.pad === undefined ? {} : { pad: value.field.pad }),
    });
    return Buffer.from(`"${token}"`, "latin1");
  }

  #binding(value: CapturedValue): Binding {
    const record = value.field.mode === "deterministic" ? undefined : value.document.record.record;
    return { tenant: this.#exchange.tenant, dataset: this.#dataset.name, field: value.field.name, record };
  }

  #decode(value: CapturedValue): string {
    return this.#located(value, () => decodeJsonString(value.bytes));
  }

  #located<T>(value: CapturedValue, task: () => T): T {
    try {
      return task();
    } catch (error) {
      if (!(error instanceof SealwrightError)) throw error;
      throw error.withFacts({ field: value.field.name, dataset: this.#dataset.name, position: value.position });
    }
  }

  #refusalOf(value: CapturedValue, code: ErrorCode, reason?: string): SealwrightError {
    return this.#refusal(code, {
      field: value.field.name,
      position: value.position,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #refusal(code: ErrorCode, facts: ErrorFacts): SealwrightError {
    return new SealwrightError(code, { dataset: this.#dataset.name, ...facts });
  }
}
