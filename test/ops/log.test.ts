import { expect } from "chai";
import { causesOf } from "../../src/base/error-causes.ts";
import type { LogFields } from "../../src/base/log.ts";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { createLog, type LogLevel } from "../../src/ops/log.ts";

const canary = "CANARY-078051120";

function recordingLog(level: LogLevel = "debug") {
  const lines: string[] = [];
  const dropped: number[] = [];
  const log = createLog({ level, destination: { write: (line) => lines.push(line) }, dropped: (n) => dropped.push(n) });
  return { log, lines, dropped };
}

/** What a careless caller could hand over, past the types. */
const careless = (fields: object): LogFields => fields;

describe("log", () => {
  it("writes one JSON line per event with its allowed members", () => {
    const { log, lines } = recordingLog();
    log.warn("request_refused", { code: "media_type", status: 415, route: "patients PUT /v1/patients/{id}" });
    expect(lines).to.have.length(1);
    const line = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(Object.keys(line).sort()).to.deep.equal(["code", "event", "level", "route", "status", "time"]);
    expect(line["level"]).to.equal("warn");
    expect(line["event"]).to.equal("request_refused");
    expect(line["time"]).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it("drops and counts members outside the allow-list", () => {
    const { log, lines, dropped } = recordingLog();
    log.info("sealed", careless({ body: canary, tenant: canary, err: new Error(canary), headers: { cookie: canary } }));
    expect(lines.join("")).not.to.include(canary);
    expect(dropped).to.deep.equal([4]);
  });

  it("drops members of a wrong type, which could hold anything", () => {
    const { log, lines, dropped } = recordingLog();
    log.info(
      "sealed",
      careless({ reason: { text: canary }, status: canary, field: [canary], code: new Error(canary) }),
    );
    expect(lines.join("")).not.to.include(canary);
    expect(dropped).to.deep.equal([4]);
  });

  it("M-02 shows nothing of an error's message, its causes' messages or its stack's arguments", () => {
    const { log, lines } = recordingLog();
    const inner = new TypeError(`cannot read ${canary}\n    at ${canary} (${canary}.ts:1:1)`);
    const error = new SealwrightError("internal", {}, new Error(canary, { cause: inner }));
    log.error("request_failed", { code: error.code, ...error.facts, causes: causesOf(error.cause) });
    expect(lines.join("")).not.to.include(canary);
    const line = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(line["causes"]).to.match(/^Error@log\.test\.ts:\d+ < TypeError@log\.test\.ts:\d+$/);
  });

  it("takes no event name that data could have made", () => {
    const { log, lines, dropped } = recordingLog();
    log.info(`sealed ${canary}`);
    expect(lines.join("")).not.to.include(canary);
    expect(dropped).to.deep.equal([1]);
  });

  it("cuts long members and keeps to one line whatever they hold", () => {
    const { log, lines } = recordingLog();
    log.info("sealed", { reason: `a\n{"event":"forged"}${"x".repeat(10_000)}` });
    expect(lines[0]!.length).to.be.lessThan(600);
    expect(lines[0]!.indexOf("\n")).to.equal(lines[0]!.length - 1);
  });

  it("keeps to its level", () => {
    const { log, lines } = recordingLog("warn");
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).to.deep.equal(["c", "d"]);
    const silent = recordingLog("silent");
    silent.log.error("e");
    expect(silent.lines).to.deep.equal([]);
  });
});

describe("causes of an error", () => {
  it("tells classes, codes and places of our own sources", () => {
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    expect(causesOf(new SealwrightError("upstream_unreachable", {}, refused))).to.match(
      /^SealwrightError upstream_unreachable@log\.test\.ts:\d+ < Error ECONNREFUSED@log\.test\.ts:\d+$/,
    );
  });

  it("takes no code and no name that could hold data", () => {
    const odd = Object.assign(new Error("x"), { code: `A ${canary}`, name: `N ${canary}` });
    expect(causesOf(odd)).not.to.include(canary);
    expect(causesOf(canary)).to.equal("string");
  });

  it("ends although errors cause each other", () => {
    const a = new Error("a");
    const b = new Error("b", { cause: a });
    a.cause = b;
    expect(causesOf(a).split(" < ")).to.have.length(6);
  });
});
