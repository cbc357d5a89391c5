import { SealwrightError } from "../base/sealwright-error.ts";
import { BodyPump, type PausableSource } from "./body-pump.ts";
import type { BodyStage, BodyTarget } from "./body-stage.ts";
import type { FlowParts, RequestPlan } from "./flow-parts.ts";
import { HeaderLines } from "./header-lines.ts";
import type { ClientExchange, HeaderList, ResponseHead, UpstreamCall, UpstreamEvents } from "./http-port.ts";
import type { Side } from "./refusal.ts";
import { exchangeOf } from "./request-match.ts";
import { isBodiless, openedStage, passedStage, responseReading, type ResponseReading } from "./response-body.ts";
import { clientHeaders, clientTrailers } from "./response-headers.ts";

/** The request that an answer belongs to. */
export interface AnswerOwner {
  readonly client: ClientExchange;
  readonly call: UpstreamCall | undefined;
  rescue(side: Side, step: () => void): void;
  fail(error: unknown, side: Side): void;
  answerStarts(): void;
  beginAnswer(status: number, headers: HeaderList): void;
  upstreamWritable(): void;
}

/** One answer from the upstream's head to the client. */
export class AnswerFlow implements UpstreamEvents, BodyTarget, PausableSource {
  readonly #owner: AnswerOwner;
  readonly #plan: RequestPlan;
  readonly #parts: FlowParts;
  #status = 0;
  #lines: HeaderLines | undefined;
  #reading: ResponseReading = "pass";
  #pump: BodyPump | undefined;
  #writable: (() => void) | undefined;
  #trailers: HeaderList = [];
  #ended = false;

  constructor(owner: AnswerOwner, plan: RequestPlan, parts: FlowParts) {
    this.#owner = owner;
    this.#plan = plan;
    this.#parts = parts;
  }

  /** True while the next move is the client's. */
  get waitsForClient(): boolean {
    return this.#writable !== undefined || this.#ended;
  }

  head(head: ResponseHead): void {
    this.#owner.rescue("answer", () => {
      this.#owner.answerStarts();
      this.#status = head.status;
      this.#lines = new HeaderLines(head.headers);
      checkCoding(this.#lines);
      const { method } = this.#plan.head;
      this.#reading = responseReading(this.#plan.treatment.opens, method, head.status);
      // A 205 may be framed as if it had a body: its head waits until none has come.
      if (head.status === 205) return;
      if (isBodiless(method, head.status))
        this.#begin(bodilessLength(this.#lines, head.status, this.#reading !== "pass"));
      else if (this.#reading === "pass") this.#pump = this.#pumpInto(passedStage(this));
    });
  }

  chunk(chunk: Buffer): void {
    this.#owner.rescue("answer", () => {
      if (isBodiless(this.#plan.head.method, this.#status))
        throw new SealwrightError("upstream_invalid", { reason: "a body where none may be" });
      this.#pump ??= this.#openedPump();
      this.#pump.push(chunk);
    });
  }

  end(trailers: HeaderList): void {
    this.#owner.rescue("answer", () => {
      this.#trailers = trailers;
      if (this.#pump !== undefined) this.#pump.end();
      else this.#endEmpty();
    });
  }

  failed(error: SealwrightError): void {
    this.#owner.fail(error, "answer");
  }

  writable(): void {
    this.#owner.upstreamWritable();
  }

  clientWritable(): void {
    const writable = this.#writable;
    this.#writable = undefined;
    writable?.();
  }

  close(): void {
    this.#pump?.close();
  }

  // BodyTarget: towards the client

  whole(body: Buffer): void {
    this.#begin(body.length);
    this.#endAnswer(body);
  }

  open(): void {
    this.#begin(this.#reading === "pass" ? statedLength(this.#upstreamLines) : undefined);
  }

  write(chunk: Buffer): void | Promise<void> {
    if (this.#owner.client.answer.write(chunk)) return undefined;
    return new Promise((resolve) => {
      this.#writable = resolve;
    });
  }

  finish(): void {
    this.#endAnswer(undefined);
  }

  get #upstreamLines(): HeaderLines {
    return this.#lines ?? noLines;
  }

  #begin(length: number | undefined): void {
    const opened = this.#reading !== "pass";
    const { tenantHeader } = this.#plan.treatment;
    this.#owner.beginAnswer(this.#status, clientHeaders(this.#upstreamLines, { opened, tenantHeader, length }));
  }

  /** The upstream ended without a body. Where one was possible, an opened answer's head has waited for that. */
  #endEmpty(): void {
    if (this.#status === 205 || !isBodiless(this.#plan.head.method, this.#status)) this.#begin(0);
    this.#endAnswer(undefined);
  }

  #endAnswer(last: Buffer | undefined): void {
    this.#ended = true;
    const trailers = this.#reading === "pass" && this.#trailers.length > 0 ? new HeaderLines(this.#trailers) : noLines;
    this.#owner.client.answer.end(last, clientTrailers(trailers));
  }

  #openedPump(): BodyPump {
    const { matched, tenant } = this.#plan;
    const { engine, limits, ports } = this.#parts;
    const exchange = exchangeOf(matched, tenant, false);
    const parts = { engine, limits, target: this, clock: ports.clock };
    return this.#pumpInto(openedStage(this.#status, this.#upstreamLines, exchange, parts));
  }

  #pumpInto(stage: BodyStage): BodyPump {
    return new BodyPump(stage, this, (error) => this.#owner.fail(error, "answer"));
  }

  // What the pump holds back

  pause(): void {
    this.#owner.call?.pause();
  }

  resume(): void {
    this.#owner.call?.resume();
  }
}

const noLines = new HeaderLines([]);

/** A transfer coding other than one `chunked` is not taken off by the HTTP client: the bytes would be no content. Throws `upstream_invalid`. */
function checkCoding(lines: HeaderLines): void {
  const codings = lines.all("transfer-encoding");
  if (codings.length === 0 || (codings.length === 1 && codings[0]?.toLowerCase() === "chunked")) return;
  throw new SealwrightError("upstream_invalid", { reason: "transfer-encoding other than chunked" });
}

function statedLength(lines: HeaderLines): number | undefined {
  const text = lines.first("content-length");
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The length that may be told where no body follows: a HEAD's or 304's speaks of the body that GET would bring. */
function bodilessLength(lines: HeaderLines, status: number, opened: boolean): number | undefined {
  return status === 204 || opened ? undefined : statedLength(lines);
}
