import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createTestPki } from "../../src/app/demo/pki.ts";
import type { GcpKmsConfig } from "../../src/kms/kms-config.ts";
import { setVariable } from "./aws-credentials.ts";
import { FaultFront, type FrontAnswer } from "./fault-front.ts";
import { GcpFake } from "./gcp-fake.ts";
import { rpcError, type RpcStatus } from "./gcp-fake-key.ts";
import type { KmsStage, KmsTraits } from "./kms-stage.ts";

const errorAnswer = (status: RpcStatus): FrontAnswer => {
  const { status: code, body } = rpcError(status);
  return { status: code, type: "application/json; charset=UTF-8", body: JSON.stringify(body) };
};

export const gcpTraits: KmsTraits = {
  throttled: [
    errorAnswer("RESOURCE_EXHAUSTED"),
    errorAnswer("UNAVAILABLE"),
    { status: 429, type: "text/html", body: "<html>Too Many Requests</html>" },
    { status: 503, type: "text/html", body: "<html>Service Unavailable</html>" },
  ],
};

/** Two fakes of Cloud KMS with a key each, the first behind a front; tokens by the library from a fake metadata server. */
export async function startGcpStage(): Promise<KmsStage> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "sealwright-test-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const pki = await createTestPki();
  const identity = await pki.issue({ name: "kms", ip: ["127.0.0.1"], usage: "server" });
  const service = await GcpFake.start(identity);
  const other = await GcpFake.start(identity, service.metadata);
  cleanup.defer(() => service.stop());
  cleanup.defer(() => other.stop());
  const front = cleanup.use(await FaultFront.start({ to: service.endpoint, ca: pki.ca }));
  const [ca, otherCa] = [join(folder, "ca.pem"), join(folder, "other.pem")];
  await writeFile(ca, front.ca);
  await writeFile(otherCa, pki.ca);
  cleanup.use(lookingFor(service.metadata.host, folder));
  const kek: GcpKmsConfig = { provider: "gcp", keyName: service.key.name, endpoint: front.endpoint, ca };
  const kept = cleanup.move();
  return {
    kek,
    otherKek: { ...kek, endpoint: other.endpoint, ca: otherCa },
    front,
    rotate: () => {
      service.key.rotate();
      return Promise.resolve();
    },
    renewCredentials: () => {
      service.metadata.revoke();
      return Promise.resolve();
    },
    secrets: ["ya29.fake"],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Points the library at a metadata server and at nothing else, until disposed of. */
function lookingFor(host: string, emptyFolder: string): Disposable {
  const settings = {
    GCE_METADATA_HOST: host,
    // Else every client probes for half a second whether there is one.
    METADATA_SERVER_DETECTION: "assume-present",
    GOOGLE_APPLICATION_CREDENTIALS: undefined,
    CLOUDSDK_CONFIG: emptyFolder,
    HOME: emptyFolder,
  };
  const before = Object.keys(settings).map((name) => [name, process.env[name]] as const);
  for (const [name, value] of Object.entries(settings)) setVariable(name, value);
  return {
    [Symbol.dispose]: () => {
      for (const [name, value] of before) setVariable(name, value);
    },
  };
}
