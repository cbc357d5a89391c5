import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { AwsKmsConfig } from "../../src/kms/kms-config.ts";
import { setVariable } from "./aws-credentials.ts";
import { FaultFront, type FrontAnswer } from "./fault-front.ts";
import type { KmsStage, KmsTraits } from "./kms-stage.ts";
import { KmsStandIn } from "./kms-stand-in.ts";

const json = "application/x-amz-json-1.1";

/** How AWS, or a load balancer before it, says "not now". */
export const awsThrottled: readonly FrontAnswer[] = [
  { status: 400, type: json, body: '{"__type":"ThrottlingException","message":"Rate exceeded"}' },
  { status: 429, type: json, body: '{"__type":"TooManyRequestsException"}' },
  { status: 503, type: "text/html", body: "<html>Service Unavailable</html>" },
];

export const awsStandInTraits: KmsTraits = {
  quick: true,
  throttled: awsThrottled,
  notApplicable: { "rewrap to a new version": "the stand-in has one version" },
};

const otherKeyId = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000002";

/** What moto does not do as AWS documents it, by our own stand-in: which key it was that answers or refuses. */
export async function startAwsStandInStage(): Promise<KmsStage> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "sealwright-test-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const [service, other] = [await KmsStandIn.start(), await KmsStandIn.start(otherKeyId)];
  cleanup.defer(() => service.stop());
  cleanup.defer(() => other.stop());
  const front = cleanup.use(await FaultFront.start({ to: service.endpoint }));
  const ca = join(folder, "ca.pem");
  await writeFile(ca, front.ca);
  cleanup.use(withCredentials({ AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: secret }));
  const kek: AwsKmsConfig = {
    provider: "aws",
    keyId: service.keyId,
    region: "eu-west-1",
    endpoint: front.endpoint,
    ca,
  };
  const kept = cleanup.move();
  return {
    kek,
    lenientKek: { ...kek, minVersion: "TLSv1.2" },
    otherKek: { provider: "aws", keyId: otherKeyId, region: "eu-west-1", endpoint: other.endpoint },
    front,
    secrets: [secret],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const secret = "stand-in-takes-any-secret";

function withCredentials(variables: Readonly<Record<string, string>>): Disposable {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  for (const [name, value] of Object.entries(variables)) setVariable(name, value);
  return {
    [Symbol.dispose]: () => {
      for (const [name, value] of before) setVariable(name, value);
    },
  };
}
