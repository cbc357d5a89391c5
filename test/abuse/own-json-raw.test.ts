import { expect } from "chai";
import { readFileSync } from "node:fs";

import type { ErrorCode } from "../../src/base/error-table.ts";
import { abuse } from "../rig/abuse-case.ts";
import { documentOf, longDocument, mapped, type Document } from "../rig/document.ts";
import { vectorFileOrSkip } from "../rig/vectors.ts";

interface RawBody {
  readonly id: string;
  readonly expect: "enc" | "reject";
  readonly why: string;
  readonly body_b64: string;
}

/** What this program makes of each body: the code of its refusal, or the JSON text of each value that is sealed, in order. */
const verdicts: Readonly<Record<string, ErrorCode | readonly string[]>> = {
  J01: "duplicate_key",
  J02: "duplicate_key",
  J03: ['"CANARY-078051120"'],
  J04: "name_case",
  J05: "duplicate_key",
  J06: ['"CANARY-078051120"'],
  J07: ['"CANARY-078051120"'],
  J08: ["78051120"],
  J09: ['{"n":"CANARY-078051120"}'],
  J10: ["null", '""'],
  J11: "lone_surrogate",
  J12: "json_encoding",
  J13: "json_invalid",
  J14: "json_invalid",
  J15: "json_invalid",
  J16: "json_invalid",
  J17: "json_invalid",
  J18: "json_invalid",
  J19: "json_invalid",
  J20: "json_invalid",
  J21: "json_invalid",
  J22: ['"CANARY-078051120"'],
  J23: "json_too_deep",
  J24: ['"CANARY-078051120"'],
  J25: Array.from({ length: 50 }, () => '"CANARY-078051120"'),
  J26: ['"enc:v1:AAAA"'],
  J27: ['"CANARY-078051120\\u0000\\u2028"'],
  J28: "json_invalid",
  J29: ['"CANARY-078051120"'],
  J30: ['"CANARY-078051120"'],
};

/** Splits `body` where each of `values` stands, in order. */
function documentWith(body: Buffer, values: readonly string[]): Document {
  const parts: Parameters<typeof documentOf>[0][number][] = [];
  let at = 0;
  for (const value of values) {
    const found = body.indexOf(value, at);
    parts.push(body.subarray(at, found), mapped(value));
    at = found + Buffer.byteLength(value);
  }
  return documentOf([...parts, body.subarray(at)]);
}

describe("own-json-raw: thirty bodies", () => {
  abuse("J01 to J30 get their verdicts, whole and streamed", async (test, mocha) => {
    const lines = readFileSync(vectorFileOrSkip(mocha, "own-json-raw/cases-open.jsonl"), "utf8").trim().split("\n");
    const cases = lines.map((line) => JSON.parse(line) as RawBody);
    expect(cases.map(({ id }) => id)).to.deep.equal(Object.keys(verdicts));
    for (const raw of cases) {
      const body = Buffer.from(raw.body_b64, "base64");
      const verdict = verdicts[raw.id]!;
      // An array of documents has a route of its own.
      const batch = { method: "POST", target: "/v1/patients/batch" };
      try {
        for (const length of [(document: Document) => document, longDocument]) {
          if (typeof verdict === "string") await test.refuses({ body: length(documentOf([body])).bytes }, verdict);
          else if (raw.id === "J25") await test.writes(length(documentWith(body, verdict)), batch);
          else await test.seals(length(documentWith(body, verdict)));
        }
      } catch (cause) {
        throw new Error(`${raw.id} ${raw.why}: ${cause instanceof Error ? cause.message : ""}`, { cause });
      }
      // J04 says "enc" where the map ignores case, else the documented rule.
      expect(raw.expect === "enc", raw.id).to.equal(typeof verdict !== "string" || raw.id === "J04");
    }
  });

  abuse("J04 with names: ignoreCase a case variant is sealed", async (test) => {
    const document = documentOf(['{"SSN":', mapped(`"${test.canary}"`), "}"]);
    await test.seals(document, { target: test.newPath("/v1/people") });
  });

  abuse("J25 each value of a list has an envelope of its own", async (test) => {
    const item = ['{"ssn":', mapped(`"${test.canary}"`), "}"];
    const document = documentOf(["[", ...item, ",", ...item, "]"]);
    const tokens = await test.writes(document, { method: "POST", target: "/v1/patients/batch" });
    expect(new Set(tokens).size).to.equal(2);
    await test.refuses({ method: "POST", target: "/v1/patients", body: document.bytes }, "document_shape");
  });
});
