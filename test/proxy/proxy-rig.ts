import { expect } from "chai";
import { systemClock } from "../../src/base/clock.ts";
import type { ErrorCode } from "../../src/base/error-table.ts";
import { defaultLimits, type Limits } from "../../src/base/limits.ts";
import type { LogFields } from "../../src/base/log.ts";
import { noMetrics } from "../../src/base/metrics.ts";
import { startListener } from "../../src/proxy/listener.ts";
import { defaultTimeouts, type ListenerOptions, type Timeouts } from "../../src/proxy/listener-options.ts";
import type { RunningListener } from "../../src/proxy/running-listener.ts";
import type { HttpMessage } from "../rig/http-reader.ts";
import { exchange, requestBytes, type PlainRequest, type RawExchange, type RawOutcome } from "../rig/raw-client.ts";
import { fakeRoutes } from "./fake-routes.ts";
import { FakeEngine } from "./fake-engine.ts";
import { PlainUpstream } from "./plain-upstream.ts";

export interface LogLine {
  readonly event: string;
  readonly fields: LogFields;
}

export interface RigOptions {
  readonly direction?: ListenerOptions["direction"];
  readonly tls?: ListenerOptions["tls"];
  readonly front?: ListenerOptions["front"];
  readonly upstream?: ListenerOptions["upstream"];
  readonly limits?: Partial<Limits>;
  readonly timeouts?: Partial<Timeouts>;
  readonly maxRequests?: number;
}

/** A listener between raw sockets and a recording upstream, over a fake engine and fake routes. */
export class ProxyRig {
  readonly engine = new FakeEngine();
  readonly log: LogLine[] = [];
  readonly upstream: PlainUpstream;
  #listener: RunningListener | undefined;

  private constructor(upstream: PlainUpstream) {
    this.upstream = upstream;
  }

  static async start(options: RigOptions = {}): Promise<ProxyRig> {
    const rig = new ProxyRig(await PlainUpstream.start());
    const write =
      () =>
      (event: string, fields: LogFields = {}): void =>
        void rig.log.push({ event, fields });
    rig.#listener = await startListener({
      name: "store",
      direction: options.direction ?? "outbound",
      listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
      tls: options.tls,
      front: options.front,
      upstream: options.upstream ?? { origin: `http://127.0.0.1:${rig.upstream.port}`, tls: undefined },
      routes: fakeRoutes,
      engine: rig.engine,
      limits: { ...defaultLimits, ...options.limits },
      timeouts: { ...defaultTimeouts, ...options.timeouts },
      maxRequests: options.maxRequests ?? 64,
      maxConnections: 256,
      ports: {
        log: { debug: write(), info: write(), warn: write(), error: write() },
        metrics: noMetrics,
        clock: systemClock,
      },
    });
    return rig;
  }

  get listener(): RunningListener {
    if (this.#listener === undefined) throw new Error("not started");
    return this.#listener;
  }

  get port(): number {
    const { address } = this.listener;
    return address.kind === "tcp" ? address.port : 0;
  }

  send(order: Omit<RawExchange, "port">): Promise<RawOutcome> {
    return exchange({ port: this.port, ...order });
  }

  /** One good request; its one answer. */
  async ask(request: PlainRequest): Promise<HttpMessage> {
    const outcome = await this.send({ bytes: [requestBytes(request)], methods: [request.method] });
    expect(outcome.malformed).to.equal(undefined);
    const [answer] = outcome.answers;
    if (answer === undefined) throw new Error(`no answer, connection ${outcome.closed}`);
    return answer;
  }

  async stop(): Promise<void> {
    await this.listener.close();
    await this.upstream.stop();
  }
}

export const statusOf = (message: HttpMessage | undefined): number => Number(message?.start.split(" ")[1] ?? 0);

/** The stable code of a refusal's body, or `undefined`. */
export function codeIn(message: HttpMessage | undefined): ErrorCode | undefined {
  if (message === undefined || message.body.length === 0) return undefined;
  const problem = JSON.parse(message.body.toString()) as { readonly code?: ErrorCode };
  return problem.code;
}

export const json = ["content-type", "application/json"] as const;

/** Settles when `condition` holds; fails after two seconds. */
export async function eventually(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    if (condition()) return;
    await new Promise((settle) => setTimeout(settle, 5));
  }
  expect(condition(), "condition still false after two seconds").to.equal(true);
}
