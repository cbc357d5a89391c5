import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { FaultFront } from "../../rig/fault-front.ts";
import type { KmsStage, KmsTraits } from "../../rig/kms-stage.ts";
import { OpenBao, usePolicy } from "./openbao.ts";

const json = "application/json";

export const vaultTraits: KmsTraits = {
  throttled: [
    {
      status: 429,
      type: json,
      body: '{"errors":["request path \\"transit/decrypt/patients\\": rate limit quota exceeded"]}',
    },
    { status: 503, type: json, body: '{"errors":["Vault is sealed"]}' },
    { status: 473, type: json, body: "" },
    { status: 503, type: "text/html", body: "<html>Service Unavailable</html>" },
  ],
};

const keys = ["patients", "people"] as const;
const policies = keys.map((key) => `use-${key}`);

/** OpenBao's transit behind a front; a token in a file, as an agent writes it, that lets its bearer use two keys. */
export async function startVaultStage(): Promise<KmsStage> {
  await using cleanup = new AsyncDisposableStack();
  const bao = cleanup.use(await OpenBao.start());
  for (const key of keys) {
    await bao.createKey(key);
    await bao.writePolicy(`use-${key}`, usePolicy(key));
  }
  const token = await bao.createToken({ policies });
  const tokenFile = await bao.secretFile(token);
  const front = cleanup.use(await FaultFront.start({ to: bao.address, ca: bao.pki.ca }));
  const ca = join(bao.folder, "front-ca.pem");
  await writeFile(ca, front.ca);
  const secrets = [token];
  const kek = { ...bao.kek("patients", { method: "token", tokenFile }), address: front.endpoint, ca };
  const kept = cleanup.move();
  return {
    kek,
    lenientKek: { ...kek, minVersion: "TLSv1.2" },
    otherKek: { ...kek, key: "people" },
    front,
    rotate: () => bao.rotateKey("patients"),
    renewCredentials: async () => {
      const next = await bao.createToken({ policies });
      secrets.push(next);
      await bao.overwrite(tokenFile, next);
      await bao.revoke(token);
    },
    secrets,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
