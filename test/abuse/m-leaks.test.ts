import { expect } from "chai";
import { readFileSync } from "node:fs";

import { DataKey } from "../../src/crypto/data-key.ts";
import { abuse, codeOf, sharedRig, statusOf } from "../rig/abuse-case.ts";
import { canaryRoot, newCanary, search } from "../rig/canary.ts";
import { Rig, secretDigits } from "../rig/rig.ts";
import { forms } from "../rig/sidecar-files.ts";
import { jsonBodies } from "./json-bodies.ts";

const throwingCipher = new URL("../rig/throwing-cipher.ts", import.meta.url).pathname;

describe("M: leaks from the process", () => {
  for (const form of forms) {
    it(`M-01 the log of the whole run at level debug holds no secret [${form}]`, async function () {
      this.timeout(30_000);
      const rig = await sharedRig(form);
      for (const body of jsonBodies(newCanary()))
        await rig.send({ target: "/v1/patients/m01", body: body.document.bytes });
      const log = { where: "log", bytes: rig.sidecar.output };
      expect(log.bytes.length, "bytes of log").to.be.above(1_000);
      expect(search([log], [canaryRoot, secretDigits, "Bearer", "BEGIN PRIVATE KEY"])).to.deep.equal([]);
      expect(search([log], rig.kms.dataKeys)).to.deep.equal([]);
    });

    it(`M-02 an error with a key in its text gives a line without it [${form}]`, async function () {
      this.timeout(30_000);
      const rig = await Rig.start({ form, nodeArgs: ["--import", throwingCipher] });
      try {
        const body = `{"ssn":"${newCanary()}"}`;
        expect(statusOf((await rig.send({ target: "/v1/patients/1", body })).answers[0])).to.equal(204);
        rig.sidecar.signal("SIGUSR2");
        await new Promise((settle) => setTimeout(settle, 50));
        const failed = await rig.send({ target: "/v1/patients/1", body });
        const opened = await rig.send({ target: "/v1/patients/1" });
        expect(codeOf(failed.answers[0])).to.equal("internal");
        expect(rig.upstream.requests.length, "complete requests at the upstream").to.be.at.most(2);
        const output = rig.sidecar.output.toString();
        expect(output).to.include("request_failed").and.to.include("TypeError");
        for (const shown of [output, failed.answers[0]!.body.toString(), String(opened.answers[0]?.body)]) {
          expect(shown).to.not.match(/cannot make|[0-9a-f]{64}/u);
          expect(search([{ where: "shown", bytes: Buffer.from(shown) }], rig.kms.dataKeys)).to.deep.equal([]);
        }
        expect(rig.sidecar.exitCode).to.equal(undefined);
      } finally {
        await rig.stop();
      }
    });
  }

  it("M-07 a data key's buffers are zeroed when its last holder lets go", () => {
    const held: Buffer[] = [];
    const original = Buffer.alloc.bind(Buffer);
    const given = Buffer.from("0f".repeat(32), "hex");
    Buffer.alloc = (size: number) => {
      const buffer = original(size);
      held.push(buffer);
      return buffer;
    };
    let key: DataKey;
    try {
      key = DataKey.fromBytes(given);
    } finally {
      Buffer.alloc = original;
    }
    expect(given.equals(original(32)), "what was given").to.be.true;
    const secrets = held.filter((buffer) => buffer.toString("hex") === "0f".repeat(32));
    expect(secrets).to.not.be.empty;
    const binding = { tenant: "a", dataset: "b", field: "c", record: undefined };
    key.retain();
    const sealing = { suite: 1 as const, plaintext: Buffer.from('"x"'), rawBytes: false, binding };
    key.seal(sealing, { form: "keyring", shortId: key.shortId });
    key.release();
    expect(
      secrets.every((buffer) => buffer[0] === 0x0f),
      "while held",
    ).to.be.true;
    key.release();
    expect(
      secrets.every((buffer) => buffer.equals(original(buffer.length))),
      "after the last release",
    ).to.be.true;
  });

  abuse("M-08 environment and command line hold no key", async (test) => {
    const { pid } = test.rig.sidecar;
    const places = ["environ", "cmdline"].map((name) => ({ where: name, bytes: readFileSync(`/proc/${pid}/${name}`) }));
    expect(places.every(({ bytes }) => bytes.length > 0)).to.be.true;
    await Promise.resolve();
    expect(search(places, [canaryRoot, "PRIVATE KEY", ...test.rig.kms.dataKeys])).to.deep.equal([]);
  });
});
