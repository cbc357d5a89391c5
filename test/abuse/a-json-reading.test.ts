import { expect } from "chai";

import type { ErrorCode } from "../../src/base/error-table.ts";
import { abuse, statusOf, type AbuseCase } from "../rig/abuse-case.ts";
import { documentOf, json, longDocument, mapped, streamLead, type Document } from "../rig/document.ts";
import { jsonBodies, type JsonBody } from "./json-bodies.ts";
import { suiteFiles, type SuiteFile } from "./json-test-suite.ts";

describe("A: two readers of JSON, two meanings", () => {
  abuse("A-01 duplicate keys are refused at any depth", (test) => playAll(test, "A-01"));
  abuse("A-02 an escaped key is the same key and stays as spelled", (test) => playAll(test, "A-02"));
  abuse("A-03 numbers leave character for character", (test) => playAll(test, "A-03"));
  abuse("A-04 integer-like keys keep their order", (test) => playAll(test, "A-04"));

  abuse("A-05 deep nesting before the field is refused at once", async (test) => {
    for (const lead of ["", streamLead]) {
      for (const open of ["[", '{"a":']) {
        const body = `${lead}{"a":${open.repeat(100_000)}`;
        await test.refuses({ body }, "json_too_deep");
      }
    }
    const deepest = `${"[".repeat(127)}${"]".repeat(127)}`;
    await test.seals(documentOf([`{"a":${deepest},"ssn":`, mapped(`"${test.canary}"`), "}"]));
    await test.refuses({ body: `{"a":[${deepest}],"ssn":"${test.canary}"}` }, "json_too_deep");
  });

  abuse("A-06 other encodings than UTF-8 are refused, never guessed", async (test) => {
    await playAll(test, "A-06");
    const body = Buffer.from(`{"ssn":"${test.canary}"}`, "utf16le");
    await test.refuses({ body, contentType: "application/json; charset=utf-16" }, "media_type");
    await test.refuses({ body, contentType: "application/json; charset=utf-16le" }, "media_type");
  });

  abuse("A-07 invalid UTF-8 is refused wherever it stands, never replaced", (test) => playAll(test, "A-07"));
  abuse("A-08 a lone surrogate is refused in a mapped value and passes elsewhere", (test) => playAll(test, "A-08"));
  abuse("A-09 what is almost JSON is refused", (test) => playAll(test, "A-09"));
  abuse("A-10 a second document or trailing bytes are refused", (test) => playAll(test, "A-10"));

  abuse("A-11 names that JavaScript knows are plain data", async (test) => {
    await playAll(test, "A-11");
    const ssn = mapped(`"${test.canary}"`);
    const people = { target: test.newPath("/v1/people") };
    await test.seals(json`{"__proto__":{"ssn":${ssn},"x":1},"constructor":{"ssn":"y"},"ssn":${ssn}}`, people);
    expect(({} as Record<string, unknown>)["polluted"]).to.equal(undefined);
  });

  for (const prefix of ["y_", "i_", "n_a", "n_i", "n_m", "n_n", "n_o", "n_s"]) {
    abuse(`A-12 JSONTestSuite ${prefix}* as body and inside one`, async (test, context) => {
      for (const file of suiteFiles(context, prefix)) await playFile(test, file, "short");
    });
    abuse(`A-13 JSONTestSuite ${prefix}* streamed`, async (test, context) => {
      for (const file of suiteFiles(context, prefix)) await playFile(test, file, "long");
    });
  }

  for (const ids of [["A-01", "A-02", "A-03", "A-04"], ["A-06"], ["A-07"], ["A-08", "A-09"], ["A-10", "A-11"]]) {
    abuse(`A-13 streamed bodies get the verdict of whole ones: ${ids.join(", ")}`, async (test) => {
      for (const id of ids) await playAll(test, id, "long");
    });
  }
});

async function playAll(test: AbuseCase, id: string, length: "short" | "long" = "short"): Promise<void> {
  const bodies = jsonBodies(test.canary).filter((body) => body.id === id);
  expect(bodies).to.not.be.empty;
  for (const body of bodies) await play(test, body, length);
}

const unreadable: readonly ErrorCode[] = ["json_invalid", "json_encoding", "json_too_deep", "duplicate_key"];

async function playFile(test: AbuseCase, file: SuiteFile, length: "short" | "long"): Promise<void> {
  const long = (document: Document): Document => (length === "long" ? longDocument(document) : document);
  const embedded = long(documentOf(['{"x":', file.bytes, ',"ssn":', mapped(`"${test.canary}"`), "}"]));
  const alone = long(documentOf([file.bytes]));
  try {
    if (file.accepted) {
      await test.seals(embedded);
      await passes(test, alone.bytes);
    } else {
      await test.refuses({ body: embedded.bytes }, unreadable);
      // A body of no bytes has nothing to read.
      if (alone.bytes.length === 0) await passes(test, alone.bytes);
      else await test.refuses({ ...report, body: alone.bytes }, unreadable);
    }
  } catch (cause) {
    throw new Error(`${file.name} (${length}): ${cause instanceof Error ? cause.message : ""}`, { cause });
  }
}

/** A route that forwards JSON of any shape as it is. */
const report = { method: "POST", target: "/v1/reports" };

async function passes(test: AbuseCase, body: Buffer): Promise<void> {
  const outcome = await test.rig.send({ ...report, body });
  expect(statusOf(outcome.answers[0]), "status").to.equal(201);
  expect(test.rig.upstream.bodyOf("/v1/reports").equals(body), "I8 body at the upstream").to.be.true;
}

async function play(test: AbuseCase, body: JsonBody, length: "short" | "long"): Promise<void> {
  const document = length === "long" ? longDocument(body.document) : body.document;
  try {
    if (body.verdict === "sealed") await test.seals(document);
    else await test.refuses({ body: document.bytes }, body.verdict);
  } catch (cause) {
    throw new Error(`${body.what} (${length}): ${cause instanceof Error ? cause.message : ""}`, { cause });
  }
}
