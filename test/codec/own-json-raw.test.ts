import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { ErrorCode } from "../../src/base/error-table.ts";
import type { JsonGuide } from "../../src/codec/json-events.ts";
import { capturingSink, scan, waysToCut } from "./scan-rig.ts";

interface RawCase {
  readonly id: string;
  readonly expect: "reject" | "enc";
  readonly why: string;
  readonly body_b64: string;
}

const file = join(import.meta.dirname, "../vectors/own-json-raw/cases-open.jsonl");
const cases = readFileSync(file, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as RawCase);

/** Captures the root's member `ssn`, by decoded name. */
const ssnGuide: JsonGuide = {
  root: 1,
  member(state, bytes, start, end) {
    if (state !== 1) return 0;
    return JSON.parse(`"${bytes.toString("utf8", start, end)}"`) === "ssn" ? 2 : 0;
  },
  element: (state) => (state === 1 ? 1 : 0),
};

const codes: Readonly<Record<string, ErrorCode>> = {
  J01: "duplicate_key",
  J02: "duplicate_key",
  J05: "duplicate_key",
  J11: "lone_surrogate",
  J12: "json_encoding",
  J23: "json_too_deep",
};

describe("codec/own-json-raw", () => {
  it("has all 30 cases", () => {
    expect(cases).to.have.lengthOf(30);
  });

  for (const { id, expect: wanted, why, body_b64 } of cases) {
    it(`${id} ${why}`, () => {
      const body = Buffer.from(body_b64, "base64");
      const sink = {
        ...capturingSink,
        begin: (state: number) => (state === 2 ? ("capture" as const) : ("enter" as const)),
      };
      for (const way of waysToCut(body.length, 200)) {
        const verdict = scan(body, way, { guide: ssnGuide, sink });
        expect(verdict.code).to.equal(wanted === "enc" ? "accepted" : (codes[id] ?? "json_invalid"));
        if (wanted === "enc") expect(verdict.output).to.deep.equal(body);
      }
    });
  }
});
