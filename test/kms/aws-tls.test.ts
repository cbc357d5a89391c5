import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { SecureVersion } from "node:tls";
import { expect } from "chai";
import { createTestPki, type TestPki } from "../../src/app/demo/pki.ts";
import { openAwsKms } from "../../src/kms/aws/aws.ts";
import { dataContext } from "../../src/kms/context.ts";
import type { AwsKmsConfig } from "../../src/kms/kms-config.ts";
import { setVariable, useTestCredentials } from "../rig/aws-credentials.ts";
import { failureCode } from "../rig/failure-code.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const context = dataContext({ tenant: "t1" });
const keyId = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001";

describe("AWS KMS over TLS", () => {
  useTestCredentials();
  const folder = useScratchFolder();
  const servers: Server[] = [];
  let pki: TestPki;

  before(async () => {
    pki = await createTestPki();
  });
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** Denies everything: whoever is denied has been through TLS. */
  async function deniesOver(maxVersion: SecureVersion, ip = "127.0.0.1"): Promise<string> {
    const identity = await pki.issue({ name: "kms", ip: [ip], usage: "server" });
    const server = createServer({ ...identity, maxVersion, minVersion: "TLSv1.2" }, (request, response) => {
      response.writeHead(400, { "content-type": "application/x-amz-json-1.1" });
      request.resume().on("end", () => response.end('{"__type":"AccessDeniedException"}'));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    servers.push(server);
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function codeFrom(endpoint: string, more: Partial<AwsKmsConfig> = {}): Promise<string> {
    const ca = join(folder(), "ca.pem");
    writeFileSync(ca, pki.ca);
    const kms = await openAwsKms({ provider: "aws", keyId, region: "eu-west-1", endpoint, ca, ...more });
    const code = await failureCode(() => kms.generate(context));
    await kms.close();
    return code;
  }

  it("speaks TLS 1.3 to a private endpoint under its own authority", async () => {
    expect(await codeFrom(await deniesOver("TLSv1.3"))).to.equal("kms_denied");
  });

  it("does not go below TLS 1.3 unless told so", async () => {
    const endpoint = await deniesOver("TLSv1.2");
    expect(await codeFrom(endpoint)).to.equal("kms_unavailable");
    expect(await codeFrom(endpoint, { minVersion: "TLSv1.3" })).to.equal("kms_unavailable");
    expect(await codeFrom(endpoint, { minVersion: "TLSv1.2" })).to.equal("kms_denied");
  });

  it("talks to nobody whose certificate does not hold, whatever the environment says", async () => {
    const endpoint = await deniesOver("TLSv1.3");
    const wrongName = await deniesOver("TLSv1.3", "127.0.0.2");
    setVariable("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    try {
      expect(await codeFrom(endpoint, { ca: undefined })).to.equal("kms_unavailable");
      expect(await codeFrom(wrongName)).to.equal("kms_unavailable");
    } finally {
      setVariable("NODE_TLS_REJECT_UNAUTHORIZED", undefined);
    }
  });
});
