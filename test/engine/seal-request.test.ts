import { expect } from "chai";
import type { ErrorCode } from "../../src/base/error-table.ts";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { parseSealedValue } from "../../src/crypto/sealed-value.ts";
import { EngineRig } from "../rig/engine-rig.ts";
import { patientsMap } from "./patients.ts";

const put = "/v1/patients/p1";

async function refusal(task: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await task;
  } catch (error) {
    if (error instanceof SealwrightError) return error.code;
    throw error;
  }
  return undefined;
}

describe("sealing a request", () => {
  let rig: EngineRig;
  beforeEach(() => {
    rig = new EngineRig(patientsMap);
  });
  afterEach(() => {
    expect(rig.keys.lent).to.equal(0);
  });

  it("replaces the mapped values and leaves every other byte", async () => {
    const sealed = await rig.seal(
      "PUT",
      put,
      '{ "b" : 1.00,\t"ssn":"x-1" ,"contacts":[{"phone":"+1","kind":"home"},{}],"z":1E400}\r\n',
    );
    expect(sealed).to.match(
      /^\{ "b" : 1\.00,\t"ssn":"swr1\.[\w-]+" ,"contacts":\[\{"phone":"swr1\.[\w-]+","kind":"home"\},\{\}\],"z":1E400\}\r\n$/,
    );
    expect(sealed).not.to.contain("x-1");
  });

  for (const value of [
    '"text \\u0041\\n"',
    "1.50",
    "-0",
    "1E400",
    "true",
    "false",
    "null",
    '{ "a" : [1, 2] }',
    "[1 , null]",
    '""',
    '"pad   "',
  ]) {
    it(`brings ${value} back byte for byte`, async () => {
      for (const field of ["ssn", "notes"]) {
        const body = `{"${field}": ${value} }`;
        const sealed = await rig.seal("PUT", put, body);
        expect(parseSealedValue((JSON.parse(sealed) as Record<string, string>)[field] ?? "")?.recordBound).to.equal(
          true,
        );
        expect(await rig.open("GET", put, sealed)).to.equal(body);
      }
    });
  }

  it("gives the same token whatever the chunking, in shape", async () => {
    const body = '{"_id":"p1","ssn":"CANARY-1","contacts":[{"phone":"1"},{"phone":"2"}]}';
    for (let size = 1; size < body.length; size += 1) {
      const sealed = await rig.rewrite(rig.engine.sealRequest(rig.exchange("PUT", put)), body, size);
      expect(await rig.open("GET", put, sealed)).to.equal(body);
    }
  });

  it("seals equal strings of a deterministic field alike, whatever their spelling", async () => {
    const one = await rig.seal("PUT", "/v1/patients/p1", '{"email":"a@x.org"}');
    const two = await rig.seal("PUT", "/v1/patients/p2", '{"email":"\\u0061@x.org"}');
    expect(one).to.equal(two);
    expect(await rig.open("GET", put, two)).to.equal('{"email":"a@x.org"}');
  });

  it("passes null on a deterministic field and where nulls: pass says so", async () => {
    expect(await rig.seal("PUT", put, '{"email":null,"extra":null}')).to.equal('{"email":null,"extra":null}');
  });

  it("pads to one length", async () => {
    const lengths = new Set<number>();
    for (let n = 1; n < 60; n += 7)
      lengths.add((await rig.seal("PUT", put, JSON.stringify({ notes: "n".repeat(n) }))).length);
    expect(lengths.size).to.equal(1);
  });

  const refused: readonly (readonly [string, string, string, string, ErrorCode])[] = [
    ["a scalar where a document is promised", "POST", "/v1/patients", '"x"', "document_shape"],
    ["an array where only an object is promised", "POST", "/v1/patients", '[{"_id":"1","ssn":"x"}]', "document_shape"],
    ["null where a document is promised", "POST", "/v1/patients", "null", "document_shape"],
    ["a list that no selector meets", "POST", "/v1/bulk", '{"ssn":"x"}', "document_shape"],
    ["a scalar on a selector's path", "POST", "/v1/bulk", '{"docs":"x"}', "document_shape"],
    ["a scalar among documents", "POST", "/v1/bulk", '{"docs":[{"_id":"1"},7]}', "document_shape"],
    ["a scalar on a field's path", "PUT", put, '{"contacts":"x"}', "field_shape"],
    ["a scalar deeper on a field's path", "PUT", put, '{"contacts":["x"]}', "field_shape"],
    ["a number in a deterministic field", "PUT", put, '{"email":1}', "field_type"],
    ["a document without its record", "POST", "/v1/patients", '{"ssn":"x"}', "record_missing"],
    ["a null record", "POST", "/v1/patients", '{"ssn":"x","_id":null}', "record_missing"],
    ["an empty record", "POST", "/v1/patients", '{"ssn":"x","_id":""}', "record_missing"],
    ["a record with a fraction", "POST", "/v1/patients", '{"_id":1.0,"ssn":"x"}', "record_invalid"],
    ["a record of minus zero", "POST", "/v1/patients", '{"_id":-0,"ssn":"x"}', "record_invalid"],
    ["a record that is an object", "POST", "/v1/patients", '{"_id":{},"ssn":"x"}', "record_invalid"],
    ["path and body that differ", "PUT", put, '{"_id":"p2","ssn":"x"}', "record_conflict"],
    ["path and body that differ, late", "PUT", put, '{"ssn":"x","_id":"p2"}', "record_conflict"],
    ["a case variant of a mapped name", "PUT", put, '{"SSN":"x"}', "name_case"],
    ["a lone surrogate in a selected value", "PUT", put, '{"ssn":"\\ud800"}', "lone_surrogate"],
    ["a key twice", "PUT", put, '{"ssn":"x","\\u0073sn":"y"}', "duplicate_key"],
    ["a mapped name on a route that seals nothing", "POST", "/v1/reports", '{"q":[{"ssn":"x"}]}', "mapped_name"],
    ["the last name of a path there", "POST", "/v1/reports", '{"phone":"x"}', "mapped_name"],
  ];
  for (const [what, method, target, body, code] of refused) {
    it(`refuses ${what} as ${code}, without asking for a key`, async () => {
      expect(await refusal(rig.seal(method, target, body))).to.equal(code);
      expect(rig.keys.asked).to.equal(0);
    });
  }

  it("takes an empty list of documents, and null where a container should be", async () => {
    for (const body of ['{"docs":[]}', '{"docs":[{"_id":"1","contacts":null}]}'])
      expect(await rig.seal("POST", "/v1/bulk", body)).to.equal(body);
    expect(await rig.seal("POST", "/v1/loose", "[]")).to.equal("[]");
  });

  it("binds each document of a list to its own record, before or after its values", async () => {
    const sealed = await rig.seal("POST", "/v1/bulk", '{"docs":[{"_id":"a","ssn":"1"},{"ssn":"2","_id":7}]}');
    const [a, b] = (JSON.parse(sealed) as { docs: readonly { ssn: string }[] }).docs;
    expect(await rig.open("GET", "/v1/patients/a", `{"ssn":"${a?.ssn}"}`)).to.equal('{"ssn":"1"}');
    expect(await rig.open("GET", "/v1/patients/7", `{"ssn":"${b?.ssn}"}`)).to.equal('{"ssn":"2"}');
    expect(await refusal(rig.open("GET", "/v1/patients/7", `{"ssn":"${a?.ssn}"}`))).to.equal("open_failed");
  });

  it("seals unbound where the route says so, and counts it", async () => {
    const sealed = await rig.seal("POST", "/v1/loose", '{"ssn":"x"}');
    expect(parseSealedValue((JSON.parse(sealed) as { ssn: string }).ssn)?.recordBound).to.equal(false);
    expect(rig.total("sealwright_unbound_documents_total")).to.equal(1);
    expect(await rig.open("GET", "/v1/patients/any", sealed)).to.equal('{"ssn":"x"}');
  });

  it("refuses what is sealed already, however it is spelled, and seals what only looks so", async () => {
    const token = (JSON.parse(await rig.seal("PUT", put, '{"ssn":"x"}')) as { ssn: string }).ssn;
    for (const spelled of [token, token.replace("s", "\\u0073"), token.replace("wr1", "\\u0077r1")]) {
      expect(await refusal(rig.seal("PUT", put, `{"ssn":"${spelled}"}`))).to.equal("already_sealed");
    }
    const near = `{"ssn":"${token}A="}`;
    expect(await rig.open("GET", put, await rig.seal("PUT", put, near))).to.equal(near);
  });

  it("asks for no key where any value is refused as sealed already, wherever it stands", async () => {
    const token = (JSON.parse(await rig.seal("PUT", put, '{"ssn":"x"}')) as { ssn: string }).ssn;
    const { asked } = rig.keys;
    for (const body of [
      `{"ssn":"x","notes":"${token}"}`,
      `{"ssn":"x","notes":"${token.replace("s", "\\u0073")}"}`,
      `{"ssn":"x","contacts":[{"phone":"1"},{"phone":"${token}"}]}`,
    ]) {
      expect(await refusal(rig.seal("PUT", put, body))).to.equal("already_sealed");
    }
    expect(await refusal(rig.seal("POST", "/v1/loose", `{"ssn":"x","fax":"${token}"}`))).to.equal("already_sealed");
    expect(rig.keys.asked).to.equal(asked);
  });

  it("reopens sealed input under the same field and record only", async () => {
    const token = (JSON.parse(await rig.seal("PUT", put, '{"fax":"x"}')) as { fax: string }).fax;
    const again = await rig.seal("PUT", put, `{"fax":"${token}"}`);
    expect(again).not.to.contain(token);
    expect(await rig.open("GET", put, again)).to.equal('{"fax":"x"}');
    expect(await refusal(rig.seal("PUT", "/v1/patients/p2", `{"fax":"${token}"}`))).to.equal("open_failed");
    expect(await refusal(rig.seal("POST", "/v1/loose", `{"fax":"${token}"}`))).to.equal("already_sealed");
  });

  it("leaves null alone in a merge patch and refuses an object", async () => {
    const mergePatch = { mergePatch: true };
    expect(await rig.seal("PATCH", put, '{"ssn":null}', mergePatch)).to.equal('{"ssn":null}');
    expect(await refusal(rig.seal("PATCH", put, '{"ssn":{"a":1}}', mergePatch))).to.equal("merge_patch_object");
  });

  it("refuses a record that comes after the window, streamed", async () => {
    rig = new EngineRig(patientsMap, { wholeBytes: 1024, recordWindow: 2048 });
    const late = (pad: number): string => `{"ssn":"x","pad":"${"p".repeat(pad)}","_id":"p1"}`;
    const send = (pad: number): Promise<string> =>
      rig.rewrite(rig.engine.sealRequest(rig.exchange("POST", "/v1/patients")), late(pad), 256);
    expect(await rig.open("GET", put, await send(1500))).to.equal(late(1500));
    expect(await refusal(send(4000))).to.equal("record_too_late");
  });

  it("waits for cold keys and gives the same answer", async () => {
    rig.keys.cold = true;
    const body = '{"ssn":"1","email":"e","contacts":[{"phone":"2"}]}';
    expect(await rig.open("GET", put, await rig.seal("PUT", put, body))).to.equal(body);
  });

  for (const cold of [false, true]) {
    it(`passes the key service's failure on, ${cold ? "cold" : "warm"}`, async () => {
      rig.keys.cold = cold;
      rig.keys.failure = new SealwrightError("kms_unavailable");
      expect(await refusal(rig.seal("PUT", put, '{"ssn":"1"}'))).to.equal("kms_unavailable");
    });
  }
});
