import { expect } from "chai";
import type { ListenerConfig } from "../../src/app/config/sidecar-config.ts";
import { drainListeners, type StartedListener } from "../../src/app/drain.ts";
import { parseListenAddress } from "../../src/base/listen-address.ts";
import { defaultTimeouts } from "../../src/proxy/listener-options.ts";

interface Fake {
  readonly direction: ListenerConfig["direction"];
  readonly drainMs: number;
  /** How long its requests still take. */
  readonly takesMs: number;
}

/** Listeners on a clock that only draining moves. */
function fakeListeners(fakes: readonly Fake[]) {
  const time = { nowMs: 0 };
  const drained: { readonly direction: string; readonly deadlineMs: number; readonly atMs: number }[] = [];
  const listeners = fakes.map(({ direction, drainMs, takesMs }): StartedListener => {
    const timeouts = { ...defaultTimeouts, drain: drainMs };
    return {
      config: { direction, timeouts } as ListenerConfig,
      tls: { bytes: new Map(), material: { server: undefined, upstream: undefined } },
      running: {
        address: parseListenAddress("127.0.0.1:1")!,
        active: 0,
        replaceTls: () => undefined,
        close: () => Promise.resolve(),
        drain: (deadlineMs) => {
          drained.push({ direction, deadlineMs, atMs: time.nowMs });
          time.nowMs += Math.min(takesMs, deadlineMs);
          return Promise.resolve(takesMs > deadlineMs);
        },
      },
    };
  });
  const clock = { monotonicMs: () => time.nowMs, wallMs: () => 0, after: () => () => undefined };
  return { drained, drain: () => drainListeners(listeners, clock) };
}

describe("drain", () => {
  it("ends inbound listeners before outbound ones, whatever their order", async () => {
    const { drained, drain } = fakeListeners([
      { direction: "outbound", drainMs: 25_000, takesMs: 10 },
      { direction: "inbound", drainMs: 25_000, takesMs: 4000 },
    ]);
    expect(await drain()).to.equal(true);
    expect(drained).to.deep.equal([
      { direction: "inbound", deadlineMs: 25_000, atMs: 0 },
      { direction: "outbound", deadlineMs: 21_000, atMs: 4000 },
    ]);
  });

  it("stays within one drain time for all, and gives outbound listeners a second at least", async () => {
    const { drained, drain } = fakeListeners([
      { direction: "inbound", drainMs: 5000, takesMs: 60_000 },
      { direction: "outbound", drainMs: 5000, takesMs: 0 },
    ]);
    expect(await drain()).to.equal(false);
    expect(drained.map(({ deadlineMs }) => deadlineMs)).to.deep.equal([5000, 1000]);
  });
});
