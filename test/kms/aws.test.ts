import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { expect } from "chai";
import { openAwsKms } from "../../src/kms/aws/aws.ts";
import { awsClient } from "../../src/kms/aws/aws-client.ts";
import { dataContext } from "../../src/kms/context.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { AwsKmsConfig } from "../../src/kms/kms-config.ts";
import { setVariable, useTestCredentials } from "../rig/aws-credentials.ts";
import { failureCode } from "../rig/failure-code.ts";
import { KmsStandIn, type KmsAnswer } from "../rig/kms-stand-in.ts";

const context = dataContext({ tenant: "t1", dataset: "patients" });
const keyId = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001";

const opened: Kms[] = [];
async function openAt(endpoint: string, more: Partial<AwsKmsConfig> = {}): Promise<Kms> {
  const kms = await openAwsKms({ provider: "aws", keyId, region: "eu-west-1", endpoint, ...more });
  opened.push(kms);
  return kms;
}

async function publicHost(more: Partial<AwsKmsConfig>): Promise<string | undefined> {
  const client = await awsClient({ provider: "aws", keyId, region: "eu-west-1", ...more });
  const endpoint = await client.config.endpoint?.();
  client.destroy();
  expect(endpoint?.protocol).to.equal("https:");
  return endpoint?.hostname;
}

const without =
  (member: string) =>
  (answer: KmsAnswer): KmsAnswer =>
    Object.fromEntries(Object.entries(answer).filter(([name]) => name !== member));

describe("AWS KMS", () => {
  useTestCredentials();
  let service: KmsStandIn;
  let kms: Kms;

  beforeEach(async () => {
    service = await KmsStandIn.start();
    kms = await openAt(service.endpoint);
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    await service.stop();
  });

  it("generates, unwraps and wraps under the key and the context of the scope", async () => {
    const { plaintext, wrapped } = await kms.generate(context);
    expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    const again = await kms.wrap(plaintext, context);
    expect((await kms.unwrap(again, context)).equals(plaintext)).to.equal(true);
    expect(service.calls.map((call) => call.operation)).to.deep.equal([
      "GenerateDataKey",
      "Decrypt",
      "Encrypt",
      "Decrypt",
    ]);
    for (const call of service.calls) {
      expect(call.keyId).to.equal(keyId);
      expect(call.context).to.deep.equal({ sealwright: "v1", tenant: "t1", dataset: "patients" });
    }
  });

  it("calls another context not its own", async () => {
    const { wrapped } = await kms.generate(context);
    const other = dataContext({ tenant: "t2", dataset: "patients" });
    expect(await failureCode(() => kms.unwrap(wrapped, other))).to.equal("kms_not_mine");
  });

  it("rewraps inside the service, under the same key and the same context", async () => {
    const { plaintext, wrapped } = await kms.generate(context);
    const anew = await kms.rewrap(wrapped, context);
    expect((await kms.unwrap(anew, context)).equals(plaintext)).to.equal(true);
    expect(service.callsTo("ReEncrypt")).to.have.length(1);
    expect(service.calls.at(-2)?.raw.includes(plaintext.toString("base64"))).to.equal(false);
  });

  describe("with a multi-region key", () => {
    const mrk = "mrk-0123456789abcdef0123456789abcdef";
    const arnIn = (region: string): string => `arn:aws:kms:${region}:111122223333:key/${mrk}`;
    let here: KmsStandIn;
    let there: KmsStandIn;

    beforeEach(async () => {
      here = await KmsStandIn.start(arnIn("eu-west-1"));
      there = await KmsStandIn.start(arnIn("us-east-1"));
    });
    afterEach(async () => {
      await here.stop();
      await there.stop();
    });

    it("opens what the replica of another region wrapped, and is asked and answers in its own region", async () => {
      const away = await openAt(there.endpoint, { keyId: arnIn("us-east-1"), region: "us-east-1" });
      const { plaintext, wrapped } = await away.generate(context);
      const home = await openAt(here.endpoint, { keyId: arnIn("eu-west-1") });
      expect((await home.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
      expect((await away.unwrap(await home.rewrap(wrapped, context), context)).equals(plaintext)).to.equal(true);
      expect(new Set(here.calls.map((call) => call.keyId))).to.deep.equal(new Set([arnIn("eu-west-1")]));
    });

    it("takes no answer of another region's replica", async () => {
      const home = await openAt(here.endpoint, { keyId: arnIn("eu-west-1") });
      const { wrapped } = await home.generate(context);
      here.fault = () => ({ kind: "answer", edit: (answer) => ({ ...answer, KeyId: arnIn("us-east-1") }) });
      expect(await failureCode(() => home.unwrap(wrapped, context))).to.equal("kms_broken");
      expect(await failureCode(() => home.generate(context))).to.equal("kms_broken");
    });
  });

  it("is served by a key of another account, by its whole ARN", async () => {
    const foreign = await KmsStandIn.start(keyId.replace("111122223333", "999988887777"));
    try {
      const guest = await openAt(foreign.endpoint, { keyId: foreign.keyId });
      const { plaintext, wrapped } = await guest.generate(context);
      expect((await guest.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
      foreign.fault = () => ({ kind: "answer", edit: (answer) => ({ ...answer, KeyId: keyId }) });
      expect(await failureCode(() => guest.unwrap(wrapped, context))).to.equal("kms_broken");
    } finally {
      await foreign.stop();
    }
  });

  const broken: Readonly<Record<string, (answer: KmsAnswer) => KmsAnswer>> = {
    "another key's ARN": (answer) => ({ ...answer, KeyId: keyId.replace("0001", "0002") }),
    "a bare key id": (answer) => ({ ...answer, KeyId: "0a1b2c3d-0000-4000-8000-000000000001" }),
    "no key id": without("KeyId"),
    "a key of 16 bytes": (answer) => ({ ...answer, Plaintext: Buffer.alloc(16).toString("base64") }),
    "a key of 33 bytes": (answer) => ({ ...answer, Plaintext: Buffer.alloc(33).toString("base64") }),
    "no key": without("Plaintext"),
    nothing: () => ({}),
  };
  for (const [what, edit] of Object.entries(broken)) {
    it(`E-01: takes no answer that has ${what}`, async () => {
      const { wrapped } = await kms.generate(context);
      service.fault = () => ({ kind: "answer", edit });
      expect(await failureCode(() => kms.generate(context))).to.equal("kms_broken");
      expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_broken");
    });
  }

  it("takes no answer without a wrapped key or of another algorithm", async () => {
    const { plaintext, wrapped } = await kms.generate(context);
    service.fault = () => ({ kind: "answer", edit: without("CiphertextBlob") });
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_broken");
    expect(await failureCode(() => kms.wrap(plaintext, context))).to.equal("kms_broken");
    service.fault = () => ({
      kind: "answer",
      edit: (answer) => ({ ...answer, EncryptionAlgorithm: "RSAES_OAEP_SHA_256" }),
    });
    expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_broken");
  });

  const named: Readonly<Record<string, readonly string[]>> = {
    kms_denied: [
      "AccessDeniedException",
      "DisabledException",
      "NotFoundException",
      "KMSInvalidStateException",
      "InvalidKeyUsageException",
      "UnrecognizedClientException",
      "ExpiredTokenException",
      "InvalidSignatureException",
    ],
    kms_unavailable: [
      "ThrottlingException",
      "LimitExceededException",
      "KeyUnavailableException",
      "KMSInternalException",
      "DependencyTimeoutException",
      "RequestTimeoutException",
    ],
    kms_not_mine: ["InvalidCiphertextException", "IncorrectKeyException", "ValidationException"],
    kms_broken: ["SomethingNewException"],
  };
  for (const [code, types] of Object.entries(named)) {
    for (const type of types) {
      it(`knows ${type} as ${code}`, async () => {
        service.fault = () => ({ kind: "error", status: 400, type });
        expect(await failureCode(() => kms.unwrap(Buffer.from("x"), context))).to.equal(code);
      });
    }
  }

  it("never calls a generated key somebody else's", async () => {
    service.fault = () => ({ kind: "error", status: 400, type: "InvalidCiphertextException" });
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_broken");
    service.fault = () => ({ kind: "error", status: 400, type: "ValidationException" });
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_denied");
  });

  it("asks once and leaves trying again to the decorators", async () => {
    service.fault = () => ({ kind: "error", status: 500, type: "KMSInternalException" });
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_unavailable");
    expect(service.calls).to.have.length(1);
  });

  it("is out of reach when reset, hanging or gone", async () => {
    const impatient = await openAt(service.endpoint, { patience: { attemptMs: 150 } });
    for (const kind of ["reset", "hang"] as const) {
      service.fault = () => ({ kind });
      expect(await failureCode(() => impatient.generate(context)), kind).to.equal("kms_unavailable");
    }
    await service.stop();
    expect(await failureCode(() => impatient.generate(context))).to.equal("kms_unavailable");
  });

  it("asks the region's public endpoint whatever the environment says, unless told otherwise", async () => {
    process.env["AWS_ENDPOINT_URL_KMS"] = service.endpoint;
    process.env["AWS_ENDPOINT_URL"] = service.endpoint;
    try {
      const client = await awsClient({ provider: "aws", keyId, region: "eu-west-1" });
      const endpoint = await client.config.endpoint?.();
      expect(endpoint).to.include({ protocol: "https:", hostname: "kms.eu-west-1.amazonaws.com" });
      client.destroy();
    } finally {
      Reflect.deleteProperty(process.env, "AWS_ENDPOINT_URL_KMS");
      Reflect.deleteProperty(process.env, "AWS_ENDPOINT_URL");
    }
  });

  for (const variable of ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"]) {
    it(`lets ${variable} have no say`, async () => {
      setVariable(variable, "true");
      try {
        const bold = await openAt(service.endpoint);
        expect((await bold.generate(context)).plaintext).to.have.length(32);
        expect(await publicHost({})).to.equal("kms.eu-west-1.amazonaws.com");
      } finally {
        setVariable(variable, undefined);
      }
    });
  }

  it("asks the endpoint that fips and dualStack choose, in every partition", async () => {
    expect(await publicHost({ fips: true })).to.equal("kms-fips.eu-west-1.amazonaws.com");
    expect(await publicHost({ dualStack: true })).to.equal("kms.eu-west-1.api.aws");
    expect(await publicHost({ fips: true, dualStack: true })).to.equal("kms-fips.eu-west-1.api.aws");
    expect(await publicHost({ fips: true, region: "us-gov-west-1" })).to.equal("kms-fips.us-gov-west-1.amazonaws.com");
    expect(await publicHost({ region: "cn-north-1" })).to.equal("kms.cn-north-1.amazonaws.com.cn");
  });

  it("is out of reach, not denied, while nobody gives credentials", async () => {
    Reflect.deleteProperty(process.env, "AWS_ACCESS_KEY_ID");
    process.env["AWS_EC2_METADATA_DISABLED"] = "true";
    try {
      const poor = await openAt(service.endpoint);
      expect(await failureCode(() => poor.generate(context))).to.equal("kms_unavailable");
    } finally {
      Reflect.deleteProperty(process.env, "AWS_EC2_METADATA_DISABLED");
    }
  });

  const refused: Readonly<Record<string, Partial<AwsKmsConfig>>> = {
    "an alias": { keyId: "alias/app" },
    "another region's key": { region: "eu-west-2" },
    "fips beside an endpoint": { fips: true },
    "dualStack beside an endpoint": { dualStack: true },
    "plain http beyond loopback": { endpoint: "http://kms.internal" },
    "a region that is no host name part": { region: "eu-west-1.evil.example/" },
  };
  for (const [what, config] of Object.entries(refused)) {
    it(`is not opened with ${what}`, async () => {
      expect(await failureCode(() => openAt(service.endpoint, config))).to.equal("config_invalid");
    });
  }

  it("is not opened with authorities that cannot be read", async () => {
    expect(await failureCode(() => openAt(service.endpoint, { ca: "absent.pem" }))).to.equal("file_unreadable");
  });
});

describe("AWS KMS behind something that is no KMS", () => {
  useTestCredentials();
  let server: Server | undefined;

  afterEach(() => {
    for (const each of opened.splice(0)) void each.close();
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  async function answering(status: number, type: string, body: string): Promise<Kms> {
    server = createServer((request, response) => {
      request.resume().on("end", () => response.writeHead(status, { "content-type": type }).end(body));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return openAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  const json = "application/x-amz-json-1.1";
  const xmlDenial = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
  const answers: readonly (readonly [number, string, string, string])[] = [
    [403, "text/xml", xmlDenial, "kms_denied"],
    [401, "text/html", "<html>", "kms_denied"],
    [200, "text/html", "<html>sign in</html>", "kms_broken"],
    [302, "text/html", "<html>", "kms_broken"],
    [404, "text/html", "<html>", "kms_broken"],
    [404, json, "", "kms_broken"],
    [400, json, "null", "kms_broken"],
    [429, "text/html", "<html>", "kms_unavailable"],
    [500, "text/html", "<html>", "kms_unavailable"],
    [502, "text/html", "", "kms_unavailable"],
    [503, "text/plain", "busy", "kms_unavailable"],
    [200, json, "[]", "kms_broken"],
    [200, json, "null", "kms_broken"],
    [200, json, '{"Plaintext":5,"CiphertextBlob":{},"KeyId":[]}', "kms_broken"],
  ];
  for (const [status, type, body, code] of answers) {
    it(`takes ${status} ${type} ${JSON.stringify(body.slice(0, 20))} for ${code}`, async () => {
      const kms = await answering(status, type, body);
      expect(await failureCode(() => kms.generate(context))).to.equal(code);
      expect(await failureCode(() => kms.unwrap(Buffer.from("x"), context))).to.equal(code);
    });
  }

  it("is out of reach when the connection breaks in the middle of an answer", async () => {
    for (const part of ["", '{"KeyId":"arn:aws']) {
      server = createServer((request, response) => {
        response.writeHead(200, { "content-type": json, "content-length": 500 });
        request.resume().on("end", () => response.write(part, () => request.socket.resetAndDestroy()));
        if (part === "") response.flushHeaders();
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const kms = await openAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      expect(await failureCode(() => kms.generate(context)), part).to.equal("kms_unavailable");
      server.close();
    }
  });

  it("takes bytes that are no HTTP for broken or out of reach, never for an answer", async () => {
    const noise = createTcpServer((socket) => socket.end("SSH-2.0-x\r\n"));
    noise.listen(0, "127.0.0.1");
    await once(noise, "listening");
    const kms = await openAt(`http://127.0.0.1:${(noise.address() as AddressInfo).port}`);
    expect(await failureCode(() => kms.generate(context))).to.be.oneOf(["kms_broken", "kms_unavailable"]);
    noise.close();
  });
});
