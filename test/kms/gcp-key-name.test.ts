import { expect } from "chai";
import { isGcpKeyName, isVersionOf } from "../../src/kms/gcp/gcp-key-name.ts";

const name = "projects/hospital/locations/europe-west3/keyRings/seal_Ring/cryptoKeys/patients-1";

describe("names of Cloud KMS keys", () => {
  for (const fine of [name, name.replace("hospital", "example.org:hospital"), name.replace("europe-west3", "global")])
    it(`takes ${fine}`, () => expect(isGcpKeyName(fine)).to.equal(true));

  const wrong: Readonly<Record<string, string>> = {
    "a version": `${name}/cryptoKeyVersions/1`,
    "a project's number": name.replace("hospital", "123456789012"),
    "a leading slash": `/${name}`,
    "a line end": `${name}\n`,
    "a query": `${name}?alt=json`,
    "a verb": `${name}:encrypt`,
    "dots that climb": name.replace("patients-1", ".."),
    "an escape": name.replace("patients-1", "a%2fb"),
    "a key ring only": name.replace(/\/cryptoKeys.*/, ""),
    "a full URL": `https://cloudkms.googleapis.com/v1/${name}`,
  };
  for (const [what, text] of Object.entries(wrong))
    it(`refuses ${what}`, () => expect(isGcpKeyName(text)).to.equal(false));

  it("knows the versions of its key from all others", () => {
    expect(isVersionOf(name, `${name}/cryptoKeyVersions/12`)).to.equal(true);
    for (const other of [
      "",
      "/cryptoKeyVersions/",
      "/cryptoKeyVersions/0",
      "/cryptoKeyVersions/1/x",
      "2/cryptoKeyVersions/1",
    ])
      expect(isVersionOf(name, name + other)).to.equal(false);
    expect(isVersionOf(name, `${name.replace("hospital", "other")}/cryptoKeyVersions/1`)).to.equal(false);
  });
});
