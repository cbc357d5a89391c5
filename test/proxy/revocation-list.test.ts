import { expect } from "chai";
import fc from "fast-check";
import { createTestPki } from "../../src/app/demo/pki.ts";
import { hasCode } from "../../src/base/sealwright-error.ts";
import { plainSerial, readRevocationLists } from "../../src/proxy/revocation-list.ts";

const pem = (der: Buffer): Buffer =>
  Buffer.from(`-----BEGIN X509 CRL-----\n${der.toString("base64")}\n-----END X509 CRL-----\n`);

/** Any outcome but the refusal that callers know is a defect. */
function readOrRefuse(bytes: Buffer): ReturnType<typeof readRevocationLists> | undefined {
  try {
    return readRevocationLists(bytes);
  } catch (error) {
    if (hasCode(error, "file_unreadable")) return undefined;
    throw error;
  }
}

describe("revocation list", () => {
  it("names what an authority revoked, and when the next list is due", async () => {
    const pki = await createTestPki();
    const due = new Date("2049-12-31T23:59:59Z");
    const later = new Date("2050-01-01T00:00:00Z");
    const serials = ["01", "00FF", "7F0102030405060708090A0B0C0D0E0F1011"];
    const text = `${await pki.revoke(serials, due)}${await pki.revoke([], later)}`;
    const [first, second] = readRevocationLists(Buffer.from(text));
    expect([...first!.revoked]).to.have.members(serials.map(plainSerial));
    expect(first!.nextUpdate).to.equal(due.getTime());
    expect([...second!.revoked]).to.deep.equal([]);
    expect(second!.nextUpdate).to.equal(later.getTime());
  });

  it("is refused when it is cut anywhere, or is no list at all", async () => {
    const [, base64 = ""] = /-----\n([^-]+)\n-----/u.exec(await (await createTestPki()).revoke(["0A"])) ?? [];
    const der = Buffer.from(base64, "base64");
    expect(readOrRefuse(pem(der))).to.have.length(1);
    for (let length = 0; length < der.length; length += 1)
      expect(readOrRefuse(pem(der.subarray(0, length))), String(length)).to.equal(undefined);
    expect(readOrRefuse(Buffer.from("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"))).to.equal(
      undefined,
    );
  });

  it("never fails in another way, whatever bytes come", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readOrRefuse(pem(Buffer.from(bytes)))));
  });
});
