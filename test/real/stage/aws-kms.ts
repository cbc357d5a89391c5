import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { AwsKmsConfig } from "../../../src/kms/kms-config.ts";
import { setVariable } from "../../rig/aws-credentials.ts";
import { awsThrottled } from "../../rig/aws-stand-in-stage.ts";
import { FaultFront } from "../../rig/fault-front.ts";
import type { KmsStage, KmsTraits } from "../../rig/kms-stage.ts";
import { Moto, type MotoUser } from "./moto.ts";

export const awsTraits: KmsTraits = {
  throttled: awsThrottled,
  // moto answers AccessDenied where the header of the ciphertext names a key that it does not know; AWS an invalid ciphertext.
  alsoRefusedBy: ["kms_denied"],
  notApplicable: {
    "rewrap to a new version":
      "moto lists rotations and keeps the material, AWS shows no versions: not tried against the service",
    "another key":
      "moto lets ReEncrypt take any source key and denies where AWS says IncorrectKey; shown by the stand-in",
  },
};

const lifetimeMs = 2_000;
const actions = ["kms:GenerateDataKey", "kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*"];

/**
 * AWS KMS as moto plays it, with IAM enforced, behind a front that speaks TLS. Credentials come as a pod has them: from an
 * endpoint that the SDK asks, for a time.
 */
export async function startAwsStage(): Promise<KmsStage> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "sealwright-test-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const moto = cleanup.use(await Moto.start());
  const [keyId, otherId] = [await moto.createKey(), await moto.createKey()];
  const users = [await moto.createUser("first", actions), await moto.createUser("second", actions)] as const;
  await moto.enforceAccess();
  const front = cleanup.use(await FaultFront.start({ to: moto.endpoint }));
  const ca = join(folder, "ca.pem");
  await writeFile(ca, front.ca);
  const credentials = cleanup.use(await CredentialEndpoint.start(users[0]));
  const config = (key: string): AwsKmsConfig => ({
    provider: "aws",
    keyId: key,
    region: "eu-west-1",
    endpoint: front.endpoint,
    ca,
  });
  const kept = cleanup.move();
  return {
    kek: config(keyId),
    lenientKek: { ...config(keyId), minVersion: "TLSv1.2" },
    otherKek: config(otherId),
    front,
    renewCredentials: async () => {
      credentials.user = users[1];
      // As the service does, the old ones work until their end.
      await new Promise((settle) => setTimeout(settle, lifetimeMs));
      await moto.deleteAccessKey("first", users[0].accessKeyId);
    },
    secrets: users.map(({ secretAccessKey }) => secretAccessKey),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Gives credentials as a container's agent does, each good for two seconds at most: times there are in whole seconds. */
class CredentialEndpoint implements AsyncDisposable {
  user: MotoUser;
  readonly #server = createServer((_, response) => {
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = this.user;
    const Expiration = new Date(Date.now() + lifetimeMs).toISOString().replace(/\.\d+Z$/u, "Z");
    response.end(JSON.stringify({ AccessKeyId, SecretAccessKey, Token: "", Expiration }));
  });
  readonly #before = variables.map((name) => process.env[name]);

  private constructor(user: MotoUser) {
    this.user = user;
  }

  static async start(user: MotoUser): Promise<CredentialEndpoint> {
    const endpoint = new CredentialEndpoint(user);
    endpoint.#server.listen(0, "127.0.0.1");
    await once(endpoint.#server, "listening");
    const { port } = endpoint.#server.address() as AddressInfo;
    for (const name of variables) setVariable(name, undefined);
    setVariable("AWS_CONTAINER_CREDENTIALS_FULL_URI", `http://127.0.0.1:${port}/`);
    setVariable("AWS_EC2_METADATA_DISABLED", "true");
    return endpoint;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [index, name] of variables.entries()) setVariable(name, this.#before[index]);
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }
}

/** What the SDK's chain looks at before and for the endpoint. */
const variables = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_EC2_METADATA_DISABLED",
] as const;
