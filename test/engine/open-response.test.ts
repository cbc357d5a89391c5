import { expect } from "chai";
import type { ErrorCode } from "../../src/base/error-table.ts";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { EngineRig } from "../rig/engine-rig.ts";
import { MemoryKeys } from "../rig/memory-keys.ts";
import { patientsMap } from "./patients.ts";

const one = "/v1/patients/p1";

async function refusal(task: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await task;
  } catch (error) {
    if (error instanceof SealwrightError) return error.code;
    throw error;
  }
  return undefined;
}

const tokenOf = (sealed: string, field = "ssn"): string => (JSON.parse(sealed) as Record<string, string>)[field] ?? "";

describe("opening an answer", () => {
  let rig: EngineRig;
  beforeEach(() => {
    rig = new EngineRig(patientsMap);
  });
  afterEach(() => {
    expect(rig.keys.lent).to.equal(0);
  });

  it("refuses a value moved to another field, tenant or record, all alike", async () => {
    const token = tokenOf(await rig.seal("PUT", one, '{"ssn":"x"}'));
    const moved = [
      rig.open("GET", one, `{"notes":"${token}"}`),
      rig.open("GET", "/v1/patients/p2", `{"ssn":"${token}"}`),
      rig.open("GET", one, `{"ssn":"${token}"}`, { tenant: "t2" }),
      rig.open("GET", one, `{"ssn":"${token.slice(0, -1)}"}`),
      rig.open("GET", one, '{"ssn":"swr1.AAAA"}'),
      rig.open("GET", one, '{"ssn":"clear"}'),
      rig.open("GET", one, '{"ssn":"half \\ud800"}'),
      rig.open("GET", one, '{"ssn":"swr1.\\ud800"}'),
      rig.open("GET", one, '{"ssn":7}'),
      rig.open("GET", one, '{"ssn":{"a":1}}'),
      rig.open("GET", one, `{"_id":"p2","ssn":"${token}"}`),
      rig.open("GET", one, `{"ssn":"${token}","_id":"p2"}`),
    ];
    for (const task of moved) expect(await refusal(task)).to.equal("open_failed");
  });

  it("takes null, other shapes and documents without mapped values as they are", async () => {
    for (const body of ['{"ssn":null}', "[]", "7", '"x"', "null", '{"contacts":"x"}', '{"_id":true}']) {
      expect(await rig.open("GET", one, body)).to.equal(body);
    }
  });

  it("opens an unbound value wherever it stands in the tenant and dataset", async () => {
    const sealed = await rig.seal("POST", "/v1/loose", '{"ssn":"x"}');
    expect(await rig.open("GET", "/v1/patients/any", sealed)).to.equal('{"ssn":"x"}');
  });

  it("refuses a bound value whose document tells no record", async () => {
    const sealed = await rig.seal("PUT", one, '{"ssn":"x"}');
    expect(await refusal(rig.open("POST", "/v1/bulk", `{"docs":[${sealed}]}`))).to.equal("open_failed");
    expect(await rig.open("POST", "/v1/bulk", `{"docs":[${sealed.replace("{", '{"_id":"p1",')}]}`)).to.equal(
      '{"docs":[{"_id":"p1","ssn":"x"}]}',
    );
  });

  it("opens what was sealed under a field's or the dataset's former name", async () => {
    const keys = new MemoryKeys();
    const former = patientsMap
      .replace("dataset: patients\nformerly: [clients]", "dataset: clients")
      .replace('path: "$.contacts[*].phone", formerly: [phone]', 'name: phone, path: "$.contacts[*].phone"');
    const old = new EngineRig(former, {}, keys);
    rig = new EngineRig(patientsMap, {}, keys);
    for (const cold of [false, true]) {
      keys.cold = cold;
      const body = '{"ssn":"x","contacts":[{"phone":"1"}]}';
      expect(await rig.open("GET", one, await old.seal("PUT", one, body))).to.equal(body);
      expect(await refusal(old.open("GET", one, await rig.seal("PUT", one, body)))).to.equal("open_failed");
    }
  });

  it("passes and counts clear values in phase migrate, but nothing malformed", async () => {
    rig = new EngineRig(patientsMap.replace("path: $.ssn }", "path: $.ssn, phase: migrate }"));
    for (const body of ['{"ssn":"clear"}', '{"ssn":7}', '{"ssn":{"a":[1]}}', '{"ssn":"half \\ud800"}'])
      expect(await rig.open("GET", one, body)).to.equal(body);
    expect(rig.total("sealwright_clear_values_passed_total")).to.equal(4);
    expect(await refusal(rig.open("GET", one, '{"ssn":"swr1.AAAA"}'))).to.equal("open_failed");
  });

  describe("with onOpenFailure: keepSealed", () => {
    const keeping = patientsMap.replace("fields:", "onOpenFailure: keepSealed\nfields:");
    beforeEach(() => {
      rig = new EngineRig(keeping);
    });

    for (const cold of [false, true]) {
      it(`keeps the one bad value sealed and opens the others, ${cold ? "cold" : "warm"}`, async () => {
        const good = tokenOf(await rig.seal("PUT", one, '{"ssn":"x"}'));
        const bad = tokenOf(await rig.seal("PUT", one, '{"ssn":"x"}', { tenant: "t2" }));
        rig.keys.cold = cold;
        expect(await rig.open("GET", one, `{"ssn":"${good}","contacts":[{"phone":"${bad}"}]}`)).to.equal(
          `{"ssn":"x","contacts":[{"phone":"${bad}"}]}`,
        );
        expect(rig.total("sealwright_sealed_values_kept_total")).to.equal(1);
        expect(rig.total("sealwright_open_failures_total")).to.equal(1);
      });
    }

    it("never covers a clear value or an unreachable key service", async () => {
      const sealed = await rig.seal("PUT", one, '{"ssn":"x"}');
      expect(await refusal(rig.open("GET", one, '{"ssn":"clear"}'))).to.equal("open_failed");
      for (const cold of [false, true]) {
        rig.keys.cold = cold;
        rig.keys.failure = new SealwrightError("kms_unavailable");
        expect(await refusal(rig.open("GET", one, sealed))).to.equal("kms_unavailable");
      }
    });
  });

  it("asks for no key when the answer is not valid JSON", async () => {
    const sealed = await rig.seal("PUT", one, '{"ssn":"x"}');
    rig.keys.asked = 0;
    for (const body of [sealed.slice(0, -1), sealed + sealed, sealed.replace("{", '{"ssn":1,')]) {
      expect(await refusal(rig.open("GET", one, body))).to.be.oneOf(["json_invalid", "duplicate_key", "open_failed"]);
    }
    expect(rig.keys.asked).to.equal(0);
  });

  it("caps the distinct keys of one message", async () => {
    rig = new EngineRig(patientsMap, { keysPerMessage: 1 });
    const a = tokenOf(await rig.seal("PUT", one, '{"ssn":"x"}'));
    const b = tokenOf(await rig.seal("PUT", one, '{"email":"x"}'), "email");
    expect(await rig.open("GET", one, `{"ssn":"${a}"}`)).to.equal('{"ssn":"x"}');
    expect(await refusal(rig.open("GET", one, `{"ssn":"${a}","email":"${b}"}`))).to.equal("open_failed");
  });

  it("gives the same answer for every chunking", async () => {
    const body = '{"docs":[{"ssn":"CANARY","_id":"p1","notes":[1,{"a":null}]},{"_id":"p2","email":"e"}]}';
    const sealed = await rig.seal("POST", "/v1/bulk", body);
    for (let size = 1; size < sealed.length; size += 13) {
      expect(await rig.rewrite(rig.engine.openResponse(rig.exchange("POST", "/v1/bulk")), sealed, size)).to.equal(body);
    }
  });
});
