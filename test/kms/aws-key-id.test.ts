import { expect } from "chai";
import { isAllowedEndpoint } from "../../src/kms/endpoint.ts";
import { isAnsweredBy, parseAwsKeyId } from "../../src/kms/aws/aws-key-id.ts";

const id = "0a1b2c3d-0000-4000-8000-000000000001";
const arn = `arn:aws:kms:eu-west-1:111122223333:key/${id}`;
const multi = "mrk-0123456789abcdef0123456789abcdef";

describe("AWS key id", () => {
  it("is a key ARN of the region or a bare id", () => {
    const good = [arn, id, multi, `arn:aws-us-gov:kms:eu-west-1:111122223333:key/${multi}`];
    for (const text of good) expect(parseAwsKeyId(text, "eu-west-1"), text).not.to.equal(undefined);
  });

  it("is no alias, no other region's ARN and nothing loose", () => {
    const bad = [
      "alias/app",
      "arn:aws:kms:eu-west-1:111122223333:alias/app",
      arn.replace("eu-west-1", "eu-west-2"),
      `${arn} `,
      `${arn}\n`,
      arn.toUpperCase(),
      arn.replace(":key/", ":key/../key/"),
      arn.replace("kms", "s3"),
      id.slice(1),
      "",
    ];
    for (const text of bad) expect(parseAwsKeyId(text, "eu-west-1"), text).to.equal(undefined);
  });

  it("is answered by the very key only", () => {
    const byArn = parseAwsKeyId(arn, "eu-west-1")!;
    expect(isAnsweredBy(byArn, arn)).to.equal(true);
    const others = [
      id,
      undefined,
      7,
      arn.replace("111122223333", "999922223333"),
      arn.replace("0001", "0002"),
      arn.replace("eu-west-1", "eu-west-2"),
      `x${arn}`,
    ];
    for (const other of others) expect(isAnsweredBy(byArn, other), String(other)).to.equal(false);
    const byId = parseAwsKeyId(id, "eu-west-1")!;
    expect(isAnsweredBy(byId, arn)).to.equal(true);
    expect(isAnsweredBy(byId, id)).to.equal(false);
    expect(isAnsweredBy(byId, arn.replace("eu-west-1", "eu-west-2"))).to.equal(false);
    expect(isAnsweredBy(byId, arn.replace(":key/", ":alias/"))).to.equal(false);
    expect(isAnsweredBy(byId, `arn:aws:kms:eu-west-1:111122223333:key/${multi}`)).to.equal(false);
  });
});

describe("AWS key id of a multi-region key", () => {
  const here = `arn:aws:kms:eu-west-1:111122223333:key/${multi}`;
  const there = here.replace("eu-west-1", "us-east-1");

  it("is the replica of the configured region, and is answered by no other", () => {
    expect(parseAwsKeyId(there, "eu-west-1")).to.equal(undefined);
    for (const text of [here, multi]) {
      const key = parseAwsKeyId(text, "eu-west-1")!;
      expect(isAnsweredBy(key, here), text).to.equal(true);
      expect(isAnsweredBy(key, there), text).to.equal(false);
    }
  });

  it("may lie in another account when its ARN is written out", () => {
    const foreign = parseAwsKeyId(here.replace("111122223333", "999988887777"), "eu-west-1")!;
    expect(isAnsweredBy(foreign, here.replace("111122223333", "999988887777"))).to.equal(true);
    expect(isAnsweredBy(foreign, here)).to.equal(false);
  });
});

describe("AWS endpoint", () => {
  it("is https, or plain http on a loopback address", () => {
    const good = ["https://kms.internal", "https://kms.internal:8443/", "http://127.0.0.1:4566", "http://[::1]:4566"];
    for (const text of good) expect(isAllowedEndpoint(text), text).to.equal(true);
  });

  it("is no plain http elsewhere, no name for loopback, no more than an origin", () => {
    const bad = [
      "http://kms.internal",
      "http://localhost:4566",
      "http://127.0.0.1.example.org",
      "http://10.0.0.1",
      "https://user@kms.internal",
      "https://kms.internal/path",
      "https://kms.internal?x",
      "https://kms.internal#x",
      "ftp://127.0.0.1",
      "kms.internal",
      "",
    ];
    for (const text of bad) expect(isAllowedEndpoint(text), text).to.equal(false);
  });
});
