import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../src/base/clock.ts";
import { errorTable, type ErrorCode } from "../../src/base/error-table.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import { noMetrics, type MetricLabels, type MetricName } from "../../src/base/metrics.ts";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { startListener } from "../../src/proxy/listener.ts";
import { defaultTimeouts, type ListenerOptions } from "../../src/proxy/listener-options.ts";
import { passEverything } from "../../src/proxy/pass-everything.ts";
import { rawRefusal, refusalOf } from "../../src/proxy/refusal.ts";
import { exchange, requestBytes } from "../rig/raw-client.ts";
import { FakeEngine } from "./fake-engine.ts";
import { PlainUpstream } from "./plain-upstream.ts";
import { ProxyRig, statusOf } from "./proxy-rig.ts";

const options = (changes: Partial<ListenerOptions>): ListenerOptions => ({
  name: "store",
  direction: "outbound",
  listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
  tls: undefined,
  front: undefined,
  upstream: { origin: "http://127.0.0.1:1", tls: undefined },
  routes: passEverything,
  engine: new FakeEngine(),
  limits: defaultLimits,
  timeouts: defaultTimeouts,
  maxRequests: 8,
  maxConnections: 8,
  ports: {
    log: silentLog,
    metrics: noMetrics,
    clock: systemClock,
  },
  ...changes,
});

async function codeOf(changes: Partial<ListenerOptions>): Promise<ErrorCode | undefined> {
  try {
    await (await startListener(options(changes))).close();
    return undefined;
  } catch (error) {
    return error instanceof SealwrightError ? error.code : undefined;
  }
}

describe("a listener", () => {
  it("speaks clear text on loopback only, both ways", async () => {
    expect(await codeOf({ listen: { kind: "tcp", host: "0.0.0.0", port: 0 } })).to.equal("config_invalid");
    for (const origin of ["http://10.0.0.1:80", "http://store.test", "ftp://127.0.0.1", "https://127.0.0.1:1"]) {
      expect(await codeOf({ upstream: { origin, tls: undefined } }), origin).to.equal("config_invalid");
    }
    expect(await codeOf({ upstream: { origin: "http://[::1]:80", tls: undefined } })).to.equal(undefined);
  });

  it("says that it cannot be bound", async () => {
    const first = await startListener(options({}));
    const port = first.address.kind === "tcp" ? first.address.port : 0;
    expect(await codeOf({ listen: { kind: "tcp", host: "127.0.0.1", port } })).to.equal("listen_failed");
    await first.close();
    expect(await codeOf({ listen: { kind: "tcp", host: "127.0.0.1", port } })).to.equal(undefined);
  });

  it("serves a Unix socket that only its own user may open, and removes it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sealwright-test-"));
    const path = join(folder, "s.sock");
    const upstream = await PlainUpstream.start();
    const listener = await startListener(
      options({
        listen: { kind: "unix", path },
        upstream: { origin: `http://127.0.0.1:${upstream.port}`, tls: undefined },
      }),
    );
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    const status = await new Promise((settle) => {
      request({ socketPath: path, path: "/any", agent: false }, (answer) => {
        answer.resume();
        settle(answer.statusCode);
      }).end();
    });
    expect(status).to.equal(200);
    await listener.close();
    await upstream.stop();
    expect(existsSync(path)).to.equal(false);
    rmSync(folder, { recursive: true });
  });

  it("passes everything where there is no field map", async () => {
    const upstream = await PlainUpstream.start();
    const origin = `http://127.0.0.1:${upstream.port}`;
    const listener = await startListener(options({ upstream: { origin, tls: undefined } }));
    const port = listener.address.kind === "tcp" ? listener.address.port : 0;
    const bytes = requestBytes({
      method: "POST",
      target: "/any?x=1",
      headers: [["content-type", "text/plain"]],
      body: "abc",
    });
    const outcome = await exchange({ port, bytes: [bytes], methods: ["POST"] });
    expect(outcome.answers.map(statusOf)).to.deep.equal([200]);
    expect(upstream.requests[0]?.body.toString()).to.equal("abc");
    await listener.close();
    await upstream.stop();
  });

  it("counts by route pattern and outcome, never by what was asked for", async () => {
    const upstream = await PlainUpstream.start();
    const seen: { name: MetricName; labels: MetricLabels }[] = [];
    const note = (name: MetricName, labels: MetricLabels = {}): void => void seen.push({ name, labels });
    const listener = await startListener(
      options({
        upstream: { origin: `http://127.0.0.1:${upstream.port}`, tls: undefined },
        ports: {
          log: silentLog,
          clock: systemClock,
          metrics: {
            count: note,
            clearGauge: () => undefined,
            observe: (name, _value, labels) => note(name, labels),
            gauge: (name, _value, labels) => note(name, labels),
          },
        },
      }),
    );
    const port = listener.address.kind === "tcp" ? listener.address.port : 0;
    const ask = (target: string): Promise<unknown> =>
      exchange({ port, bytes: [requestBytes({ method: "GET", target, headers: [] })], methods: ["GET"] });
    await ask("/canary-path?canary-query");
    await ask("/x?_method=canary-method");
    await new Promise((settle) => setTimeout(settle, 20));
    expect(JSON.stringify(seen)).not.to.contain("canary");
    const outcomes = seen.filter(({ name }) => name === "sealwright_requests_total").map(({ labels }) => labels);
    expect(outcomes).to.deep.equal([
      { listener: "store", route: "no field map", outcome: "2xx" },
      { listener: "store", route: "none", outcome: "header_refused" },
    ]);
    await listener.close();
    await upstream.stop();
  });

  it("logs nothing of what came in a request", async () => {
    const rig = await ProxyRig.start();
    const secret = "CANARY-1";
    const json = ["content-type", "application/json"] as const;
    await rig.ask({
      method: "POST",
      target: `/seal/${secret}?q=${secret}`,
      headers: [json, ["cookie", secret]],
      body: `{"a":"${secret}!field_shape!"}`,
    });
    await rig.ask({ method: "GET", target: `/nowhere/${secret}`, headers: [["authorization", secret]] });
    expect(rig.log.map(({ fields }) => fields.code)).to.deep.equal(["field_shape", "no_route"]);
    expect(JSON.stringify(rig.log)).not.to.contain(secret);
    await rig.stop();
  });
});

describe("refusals", () => {
  it("are the same bytes for a code, say where to look, and hold no other words than the table's", () => {
    for (const [code, row] of Object.entries(errorTable) as [ErrorCode, (typeof errorTable)[ErrorCode]][]) {
      const { status, body, headers } = refusalOf(code, "request");
      expect(refusalOf(code, "request").body).to.equal(body);
      expect(JSON.parse(body.toString())).to.deep.equal({
        type: "about:blank",
        title: row.text,
        status,
        code,
        detail: row.advice,
      });
      expect(status).to.equal(row.status);
      expect(headers.includes("retry-after"), code).to.equal(row.retryable && [429, 503].includes(row.status));
      expect(refusalOf(code, "answer").status, code).to.equal(row.status < 500 ? 502 : row.status);
    }
  });

  it("can be written where no parser is left", () => {
    const text = rawRefusal("http_invalid").toString();
    expect(text).to.match(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json\r\n/);
    expect(text).to.contain("connection: close\r\n\r\n{");
  });
});
