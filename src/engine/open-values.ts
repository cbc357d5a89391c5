import type { Interest, JsonKind, JsonSplicer } from "../codec/json-events.ts";
import { decodeJsonString } from "../codec/decode-string.ts";
import { hasCode, SealwrightError } from "../base/sealwright-error.ts";
import type { SealedValue } from "../crypto/types.ts";
import { parseSealedValue, sealedPrefix } from "../crypto/sealed-value.ts";
import type { KeyScope, OpeningKey } from "../keys/keys.ts";
import type { Dataset, DocumentPlan, Field, FieldHit } from "../fieldmap/types.ts";
import type { BorrowedKeys } from "./borrowed-keys.ts";
import type { Exchange } from "./engine.ts";
import type { EngineContext } from "./engine-context.ts";
import { recordText } from "./record-claim.ts";
import type { ValueWork } from "./spliced-body.ts";
import { ValueCounts } from "./value-counts.ts";
import { DocumentStack, type WalkedDocument } from "./walked-document.ts";

/** What opening a value has shown, for whoever puts something else in its place than its plaintext. */
export interface OpenedValue {
  readonly plaintext: Buffer;
  readonly field: Field;
  readonly sealed: SealedValue;
  /** The record that it is bound to; `undefined` = none. */
  readonly record: string | undefined;
}

export type Standing = "open" | "keep" | Promise<void>;

interface CapturedValue {
  readonly slot: number;
  readonly hit: FieldHit;
  readonly field: Field;
  readonly document: WalkedDocument;
  readonly bytes: Buffer;
  readonly position: number;
  /** Undefined until looked at; then what it holds. */
  sealed: SealedValue | undefined;
  /** Which of the dataset's names is tried next: the present one, then the former ones. */
  datasetTried: number;
  /** Why its key could not be fetched. */
  failure: unknown;
}

/** The string's text; one that UTF-8 cannot hold was never sealed, and is judged by its source text. */
function textOf(source: Buffer): string {
  try {
    return decodeJsonString(source);
  } catch (error) {
    if (hasCode(error, "lone_surrogate")) return source.toString("utf8", 1);
    throw error;
  }
}

/** Answers on a route that opens: opens what the plan names; everything else leaves as it came. */
export class OpenValues implements ValueWork {
  readonly loneSurrogates = "pass";
  /** Whether a sealed value is opened or stays; a promise when a key has to be fetched to know: then it is asked again. */
  protected readonly standing: ((sealed: SealedValue, keys: BorrowedKeys) => Standing) | undefined = undefined;
  readonly #plan: DocumentPlan;
  readonly #dataset: Dataset;
  readonly #exchange: Exchange;
  readonly #context: EngineContext;
  readonly #keys: BorrowedKeys;
  readonly #documents: DocumentStack;
  readonly #counts: ValueCounts;
  readonly #datasetNames: readonly string[];
  #captured: CapturedValue[] = [];
  #capturedAt = 0;

  constructor(plan: DocumentPlan, exchange: Exchange, context: EngineContext, keys: BorrowedKeys) {
    this.#plan = plan;
    this.#dataset = exchange.route.dataset;
    this.#exchange = exchange;
    this.#context = context;
    this.#keys = keys;
    this.#documents = new DocumentStack(plan, exchange.captures, this.#dataset.fields.length);
    this.#counts = new ValueCounts(this.#dataset);
    this.#datasetNames = [this.#dataset.name, ...this.#dataset.formerly];
  }

  get waitsForRecord(): boolean {
    return this.#captured.length > 0;
  }

  begin(state: number, kind: JsonKind, offset: number): Interest {
    const facts = this.#plan.facts(state);
    if (facts.field !== undefined) return this.#beginField(facts.field, kind, offset);
    if (facts.record !== undefined && (kind === "string" || kind === "number")) return "peek";
    if (facts.document && kind === "object") this.#documents.push();
    return kind === "object" || kind === "array" ? "enter" : "skip";
  }

  peeked(state: number, kind: JsonKind, bytes: Buffer): void {
    const hit = this.#plan.facts(state).record;
    const document = hit === undefined ? undefined : this.#documents.of(hit);
    if (document === undefined) return;
    try {
      document.record.claim(recordText(kind, bytes));
    } catch (error) {
      // A source that cannot be a record counts as absent: a bound value then finds no record and fails.
      if (!hasCode(error, "record_invalid")) throw error;
    }
  }

  captured(state: number, _kind: JsonKind, bytes: Buffer, slot: number): void {
    const hit = this.#plan.facts(state).field;
    const field = hit && this.#dataset.fields[hit.index];
    const document = hit && this.#documents.of(hit);
    if (hit === undefined || field === undefined || document === undefined)
      throw new SealwrightError("internal", { reason: "capture without a document" });
    this.#captured.push({
      slot,
      hit,
      field,
      document,
      bytes,
      position: this.#capturedAt,
      sealed: undefined,
      datasetTried: 0,
      failure: undefined,
    });
  }

  /** What an earlier run has left in clear: that is told at the end, for all. */
  passedOver(state: number, bytes: Buffer): void {
    const { field } = this.#plan.facts(state);
    if (field === undefined || textOf(bytes).startsWith(sealedPrefix)) return;
    if (this.#dataset.fields[field.index]?.phase === "migrate")
      this.#counts.add("sealwright_clear_values_passed_total", field.index);
  }

  leave(state: number, kind: "object" | "array"): void {
    if (kind !== "object" || !this.#plan.facts(state).document) return;
    const document = this.#documents.pop();
    if (document?.holdsBound === true && document.record.state === "conflict") {
      throw new SealwrightError("open_failed", { dataset: this.#dataset.name, reason: "record sources differ" });
    }
  }

  finish(): void {
    // An answer of any shape may pass: what no selector meets holds nothing to open.
  }

  settleReady(splicer: JsonSplicer): void | Promise<void> {
    const waiting: CapturedValue[] = [];
    for (const [index, value] of this.#captured.entries()) {
      const settled = this.#settle(value, splicer);
      if (settled === "waiting") {
        waiting.push(value);
      } else if (settled instanceof Promise) {
        this.#captured = [...waiting, ...this.#captured.slice(index)];
        return settled.then(() => this.settleReady(splicer));
      }
    }
    this.#captured = waiting;
    return undefined;
  }

  close(complete: boolean): void {
    this.#keys.releaseAll();
    this.#captured = [];
    if (complete) this.#counts.report(this.#context.metrics);
  }

  /** What takes an opened value's place. */
  protected replacement({ plaintext }: OpenedValue): Buffer {
    return plaintext;
  }

  protected get scope(): KeyScope {
    return { tenant: this.#exchange.tenant, dataset: this.#dataset.name };
  }

  #beginField(hit: FieldHit, kind: JsonKind, offset: number): Interest {
    this.#capturedAt = offset;
    if (kind === "string") return "capture";
    if (kind === "null") return "skip";
    const field = this.#dataset.fields[hit.index];
    if (field?.phase !== "migrate") {
      const error = this.#clearValue(field, offset);
      if (this.#context.keepFailed?.(error) !== true) throw error;
      return "skip";
    }
    this.#counts.add("sealwright_clear_values_passed_total", hit.index);
    return "skip";
  }

  #settle(value: CapturedValue, splicer: JsonSplicer): "done" | "waiting" | Promise<void> {
    try {
      value.sealed ??= this.#read(value);
      if (value.sealed === undefined) {
        this.#counts.add("sealwright_clear_values_passed_total", value.hit.index);
        splicer.settle(value.slot, undefined);
        return "done";
      }
      if (value.sealed.recordBound) {
        value.document.holdsBound = true;
        if (value.document.record.state === "waiting") return "waiting";
      }
      const standing = this.standing?.(value.sealed, this.#keys) ?? "open";
      if (standing instanceof Promise) return standing;
      if (standing === "keep") {
        splicer.settle(value.slot, undefined);
        return "done";
      }
      const { sealed } = value;
      const opened = this.#open(value, sealed);
      if (opened instanceof Promise) return opened;
      const { record } = value.document.record;
      splicer.settle(
        value.slot,
        this.replacement({
          plaintext: opened,
          field: value.field,
          sealed,
          record: sealed.recordBound ? record : undefined,
        }),
      );
      this.#counts.add("sealwright_values_opened_total", value.hit.index);
    } catch (error) {
      this.#keepSealed(value, splicer, error);
    }
    return "done";
  }

  /** The sealed value; `undefined` = a clear value that may pass. Throws `open_failed`. */
  #read(value: CapturedValue): SealedValue | undefined {
    const text = textOf(value.bytes);
    if (!text.startsWith(sealedPrefix)) {
      if (value.field.phase === "migrate") return undefined;
      throw this.#clearValue(value.field, value.position);
    }
    const sealed = parseSealedValue(text);
    if (sealed === undefined || sealed.rawBytes) throw new SealwrightError("open_failed", { reason: "malformed" });
    return sealed;
  }

  /** The plaintext, or a promise when its key has to be fetched: then ask again. Throws `open_failed`, `kms_*`. */
  #open(value: CapturedValue, sealed: SealedValue): Buffer | Promise<void> {
    const { tenant } = this.#exchange;
    const record = sealed.recordBound ? this.#recordOf(value) : undefined;
    for (;;) {
      if (value.failure !== undefined) this.#tryNextDataset(value);
      const dataset = this.#datasetNames[value.datasetTried] ?? this.#dataset.name;
      try {
        const key = this.#keys.opener(sealed.key, { tenant, dataset });
        if (!(key instanceof Promise)) return this.#openUnder(value, sealed, { key, dataset, record });
        return key.then(
          () => undefined,
          (error: unknown) => void (value.failure = error),
        );
      } catch (error) {
        value.failure = error;
      }
    }
  }

  /** Goes on to a former name of the dataset; throws the failure when there is none or another name cannot help. */
  #tryNextDataset(value: CapturedValue): void {
    const { failure } = value;
    value.failure = undefined;
    if (!hasCode(failure, "open_failed") || value.datasetTried + 1 >= this.#datasetNames.length) throw failure;
    value.datasetTried += 1;
  }

  #openUnder(
    value: CapturedValue,
    sealed: SealedValue,
    under: { key: OpeningKey; dataset: string; record: string | undefined },
  ): Buffer {
    const names = [value.field.name, ...value.field.formerly];
    for (const [index, field] of names.entries()) {
      try {
        return under.key.open(sealed, {
          tenant: this.#exchange.tenant,
          dataset: under.dataset,
          field,
          record: under.record,
        });
      } catch (error) {
        if (!hasCode(error, "open_failed") || index === names.length - 1) throw error;
      }
    }
    throw new SealwrightError("internal", { reason: "a field without a name" });
  }

  #recordOf(value: CapturedValue): string {
    const { state, record } = value.document.record;
    if (state !== "known" || record === undefined)
      throw new SealwrightError("open_failed", { reason: `record ${state}` });
    return record;
  }

  #clearValue(field: Field | undefined, position: number): SealwrightError {
    return new SealwrightError("open_failed", {
      reason: "clear value",
      field: field?.name ?? "",
      position,
      dataset: this.#dataset.name,
    });
  }

  /** `onOpenFailure: keepSealed` lets one bad value stay sealed; a clear value or an unreachable key service never. */
  #keepSealed(value: CapturedValue, splicer: JsonSplicer, error: unknown): void {
    if (!(error instanceof SealwrightError)) throw error;
    const { metrics } = this.#context;
    const labels = { dataset: this.#dataset.name, field: value.field.name };
    const openFailed = hasCode(error, "open_failed");
    const placed = error.withFacts({ ...labels, position: value.position });
    if (openFailed && this.#context.keepFailed?.(placed) === true) {
      splicer.settle(value.slot, undefined);
      return;
    }
    if (openFailed) metrics.count("sealwright_open_failures_total", labels);
    if (!openFailed || this.#dataset.onOpenFailure !== "keepSealed" || error.facts.reason === "clear value") {
      throw placed;
    }
    this.#counts.add("sealwright_sealed_values_kept_total", value.hit.index);
    splicer.settle(value.slot, undefined);
  }
}
