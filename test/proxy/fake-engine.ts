import { SealwrightError } from "../../src/base/sealwright-error.ts";
import type { ErrorCode } from "../../src/base/error-table.ts";
import type { BodyRewriter, Engine, Exchange } from "../../src/engine/engine.ts";

/** Turns letters to upper (seal) or lower case (open): what passed it shows. `!CODE!` in a body makes it fail with that code. */
class CaseRewriter implements BodyRewriter {
  readonly #change: (text: string) => string;
  readonly #engine: FakeEngine;
  #out: Buffer[] = [];
  #all = "";
  #closed = false;

  constructor(change: (text: string) => string, engine: FakeEngine) {
    this.#change = change;
    this.#engine = engine;
    engine.open += 1;
  }

  write(chunk: Buffer): void | Promise<void> {
    this.#engine.biggestChunk = Math.max(this.#engine.biggestChunk, chunk.length);
    const work = (): void => {
      const text = chunk.toString("latin1");
      if (this.#all.length < 4096) this.#all += text;
      const failing = /!([A-Za-z_]+)!/.exec(text)?.[1];
      if (failing !== undefined) throw new SealwrightError(failing.toLowerCase() as ErrorCode, { reason: "on demand" });
      this.#out.push(Buffer.from(this.#change(text), "latin1"));
    };
    if (this.#engine.delayMs === 0) {
      work();
      return undefined;
    }
    return new Promise<void>((settle) => setTimeout(settle, this.#engine.delayMs)).then(work);
  }

  end(): void | Promise<void> {
    if (!this.#all.trimStart().startsWith("{")) throw new SealwrightError("json_invalid", { position: 0 });
    if (/\}\s*\{/.test(this.#all)) throw new SealwrightError("json_invalid", { reason: "two documents" });
    return undefined;
  }

  take(): Buffer[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  close(): void {
    if (this.#closed) throw new SealwrightError("internal", { reason: "closed twice" });
    this.#closed = true;
    this.#engine.open -= 1;
  }
}

export class FakeEngine implements Engine {
  /** Rewriters not closed yet. */
  open = 0;
  biggestChunk = 0;
  delayMs = 0;
  readonly exchanges: Exchange[] = [];

  tenantOf(
    route: Exchange["route"],
    _captures: ReadonlyMap<string, string>,
    header: (name: string) => readonly string[],
  ): string {
    if (route.dataset.tenant.kind === "constant") return route.dataset.tenant.tenant;
    const values = header("x-tenant-id");
    if (values.length !== 1 || !/^[A-Za-z0-9._-]{1,128}$/.test(values[0] ?? ""))
      throw new SealwrightError("tenant_refused");
    return values[0] ?? "";
  }

  sealRequest(exchange: Exchange): BodyRewriter {
    this.exchanges.push(exchange);
    return new CaseRewriter((text) => text.toUpperCase(), this);
  }

  openResponse(exchange: Exchange): BodyRewriter {
    this.exchanges.push(exchange);
    return new CaseRewriter((text) => text.toLowerCase(), this);
  }

  checkEmptyRequest(exchange: Exchange): void {
    if (exchange.route.pattern.includes("strict")) throw new SealwrightError("field_missing");
  }
}
