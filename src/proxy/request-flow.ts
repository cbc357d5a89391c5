import { asSealwrightError, SealwrightError } from "../base/sealwright-error.ts";
import type { Admitted } from "./admission.ts";
import { AnswerFlow, type AnswerOwner } from "./answer-flow.ts";
import { BodyPump } from "./body-pump.ts";
import type { BodyTarget } from "./body-stage.ts";
import type { FlowParts, RequestPlan } from "./flow-parts.ts";
import { withFrontHeaders } from "./front-headers.ts";
import { HeaderLines } from "./header-lines.ts";
import type { ClientEvents, ClientExchange, HeaderList, UpstreamCall, UpstreamRequest } from "./http-port.ts";
import { QuietWatch } from "./quiet-watch.ts";
import { closesConnection, refusalOf, type Side } from "./refusal.ts";
import { lacksDocument, requestReading, requestStage, type RequestReading } from "./request-body.ts";
import { checkTrailers } from "./request-head.ts";
import { upstreamHeaders } from "./request-headers.ts";
import { exchangeOf, MethodRefusal } from "./request-match.ts";
import { reportEnd } from "./request-report.ts";

/**
 * One request from its head to the end of its answer. Whatever fails in it comes to `fail`, the one place that turns errors
 * into answers.
 */
export class RequestFlow implements ClientEvents, Admitted, AnswerOwner, BodyTarget {
  readonly #parts: FlowParts;
  readonly #client: ClientExchange;
  readonly #startedMs: number;
  readonly #quiet = new QuietWatch();
  #plan: RequestPlan | undefined;
  #reading: RequestReading | undefined;
  #pump: BodyPump | undefined;
  #call: UpstreamCall | undefined;
  #answer: AnswerFlow | undefined;
  #writable: (() => void) | undefined;
  /** The body still comes from the client. */
  #receiving = false;
  #sent = false;
  #failure: SealwrightError | undefined;
  #status = 0;

  constructor(parts: FlowParts, client: ClientExchange) {
    this.#parts = parts;
    this.#client = client;
    this.#startedMs = parts.ports.clock.monotonicMs();
  }

  /** Runs a step of this request; what it throws ends the request. */
  rescue(side: Side, step: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      step();
    } catch (error) {
      this.fail(error, side);
    }
  }

  /** The head has been read: forwards the request, its body first going through what the route asks for. */
  forward(plan: RequestPlan): void {
    this.#plan = plan;
    this.#answer = new AnswerFlow(this, plan, this.#parts);
    const { framing } = plan.head;
    if (framing.kind === "sized" && framing.length > this.#parts.limits.bodyBytes) {
      throw new SealwrightError("body_too_large");
    }
    if (framing.kind === "none") {
      this.#forwardEmpty(plan);
      return;
    }
    // What the head shows to be unreadable is refused before its body is asked for.
    if (framing.kind === "sized") this.#openStage(plan);
    this.#receiving = true;
    this.#client.body.start();
  }

  bodyChunk(chunk: Buffer): void {
    this.#quiet.moved();
    this.rescue("request", () => {
      if (this.#plan === undefined) return;
      // A chunked body is known not to be empty only now.
      this.#pump ??= this.#openStage(this.#plan);
      this.#pump.push(chunk);
    });
  }

  bodyEnd(trailers: HeaderList): void {
    this.#receiving = false;
    this.rescue("request", () => {
      if (trailers.length > 0) checkTrailers(new HeaderLines(trailers));
      if (this.#pump !== undefined) this.#pump.end();
      else if (this.#plan !== undefined) this.#forwardEmpty(this.#plan);
    });
  }

  bodyFailed(error: SealwrightError): void {
    this.#receiving = false;
    this.fail(error, "request");
  }

  writable(): void {
    this.#quiet.moved();
    this.#answer?.clientWritable();
  }

  closed(complete: boolean): void {
    if (!complete && this.#failure === undefined) this.fail(new SealwrightError("client_gone"), "answer");
    this.#parts.admission.leave(this);
    reportEnd(this.#parts, {
      method: this.#client.head.method,
      route: this.#plan?.matched.route.label,
      status: this.#status,
      startedMs: this.#startedMs,
      failure: this.#failure,
    });
  }

  tick(nowMs: number): void {
    const { timeouts } = this.#parts;
    const quietMs = this.#quiet.quietMs(nowMs);
    const ageMs = nowMs - this.#startedMs;
    if (this.#failure !== undefined) {
      // A refusal that its client does not take.
      if (quietMs > timeouts.body || ageMs > timeouts.total + timeouts.body) this.#client.answer.abort();
    } else if (ageMs > timeouts.total) {
      this.fail(new SealwrightError("deadline_exceeded"), "request");
    } else if (this.#receiving && this.#pump?.busy !== true) {
      if (quietMs > timeouts.body) this.fail(new SealwrightError("request_timeout"), "request");
    } else if (this.#answer?.waitsForClient === true) {
      if (quietMs > timeouts.body) this.fail(new SealwrightError("client_gone", { reason: "does not read" }), "answer");
    } else {
      this.#quiet.moved();
    }
  }

  abandon(): void {
    this.fail(new SealwrightError("draining"), "request");
    // Also when it had failed before and waits for a client that does not read.
    if (this.#answer?.waitsForClient === true) this.#client.answer.abort();
  }

  fail(error: unknown, side: Side): void {
    if (this.#failure !== undefined) return;
    const failure = asSealwrightError(error);
    this.#failure = failure;
    // However long it has been quiet before: the refusal has its own time to be taken.
    this.#quiet.moved();
    this.#pump?.close();
    this.#answer?.close();
    this.#call?.abort();
    if (this.#status !== 0) this.#client.answer.abort();
    else this.#refuse(failure, side);
  }

  // BodyTarget: towards the upstream

  whole(body: Buffer): void {
    this.#sent = true;
    this.#send(body.length === 0 ? undefined : body);
  }

  open(): void {
    const framing = this.#plan?.head.framing;
    const length = this.#reading?.kind === "plain" && framing?.kind === "sized" ? framing.length : undefined;
    this.#send({ length });
  }

  write(chunk: Buffer): void | Promise<void> {
    if (this.#call === undefined || this.#call.write(chunk)) return undefined;
    return new Promise((resolve) => {
      this.#writable = resolve;
    });
  }

  finish(): void {
    this.#sent = true;
    this.#call?.end();
  }

  // AnswerOwner

  get client(): ClientExchange {
    return this.#client;
  }

  get call(): UpstreamCall | undefined {
    return this.#call;
  }

  /** An answer that comes before the request is complete stops it: the rest is not sent and the connection not used again. */
  answerStarts(): void {
    if (this.#sent) return;
    this.#receiving = false;
    this.#pump?.close();
    this.#client.body.pause();
  }

  beginAnswer(status: number, headers: HeaderList): void {
    this.#answerWith(status, headers, this.#parts.admission.draining);
  }

  #answerWith(status: number, headers: HeaderList, close: boolean): void {
    const { front } = this.#parts;
    const lines = front === undefined ? headers : withFrontHeaders(headers, front);
    this.#client.answer.begin({ status, headers: lines }, close);
    this.#status = status;
  }

  upstreamWritable(): void {
    const writable = this.#writable;
    this.#writable = undefined;
    writable?.();
  }

  #openStage(plan: RequestPlan): BodyPump {
    const reading = requestReading(plan.matched, plan.head.lines);
    this.#reading = reading;
    const exchange = exchangeOf(plan.matched, plan.tenant, reading.kind === "json" && reading.mergePatch);
    const { engine, limits, ports } = this.#parts;
    const parts = { engine, limits, target: this, clock: ports.clock };
    const stage = requestStage(reading, exchange, plan.head, parts);
    this.#pump = new BodyPump(stage, this.#client.body, (error) => this.fail(error, "request"));
    return this.#pump;
  }

  #forwardEmpty(plan: RequestPlan): void {
    if (lacksDocument(plan.matched, plan.head.method)) {
      this.#parts.engine.checkEmptyRequest(exchangeOf(plan.matched, plan.tenant, false));
    }
    this.#sent = true;
    this.#send(undefined);
  }

  #send(body: UpstreamRequest["body"]): void {
    const { plan, answer } = this.#ready();
    const { head, treatment } = plan;
    const decoded = this.#reading?.kind === "json" && this.#reading.coding !== "identity";
    const { direction } = this.#parts;
    const { forwarded } = this.#client.peer;
    const headers = upstreamHeaders(head, { direction, treatment, decoded, forwardedPeer: forwarded });
    this.#call = this.#parts.upstream.send({ method: head.method, target: head.target, headers, body }, answer);
  }

  #ready(): { readonly plan: RequestPlan; readonly answer: AnswerFlow } {
    if (this.#plan === undefined || this.#answer === undefined)
      throw new SealwrightError("internal", { reason: "no plan" });
    return { plan: this.#plan, answer: this.#answer };
  }

  #refuse(failure: SealwrightError, side: Side): void {
    const { status, headers, body } = refusalOf(failure.code, side);
    const allow =
      failure instanceof MethodRefusal && failure.allow.length > 0 ? ["allow", failure.allow.join(", ")] : [];
    const close = closesConnection(failure.code) || this.#parts.admission.draining;
    this.#answerWith(status, [...headers, ...allow], close);
    this.#client.answer.end(body, []);
  }
}
