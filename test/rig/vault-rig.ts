import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Clock } from "../../src/base/clock.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { createTestPki, type TestPki } from "../../src/app/demo/pki.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { VaultKmsConfig } from "../../src/kms/kms-config.ts";
import type { ProviderPorts } from "../../src/kms/kms-ports.ts";
import type { VaultAuth } from "../../src/kms/vault/vault-auth.ts";
import { openVaultKms } from "../../src/kms/vault/vault.ts";
import { RecordedMetrics } from "./recorded-metrics.ts";
import { useScratchFolder } from "./scratch-folder.ts";
import { VaultFake } from "./vault-fake.ts";

export function vaultPorts(clock: Clock = systemClock): ProviderPorts {
  return { clock, log: silentLog, metrics: new RecordedMetrics(), random: () => 0.5, kek: "main" };
}

/** A fake Vault for one `describe`, and KEKs of it. */
export interface VaultRig {
  readonly fake: VaultFake;
  readonly pki: TestPki;
  /** A file of mode 0600 in the scratch folder. */
  file(name: string, text: string): string;
  config(more?: Partial<VaultKmsConfig>): VaultKmsConfig;
  /** The provider alone, without decorators. */
  open(more?: Partial<VaultKmsConfig>, clock?: Clock): Promise<Kms>;
}

export function useVaultRig(): () => VaultRig {
  const folder = useScratchFolder();
  const opened: Kms[] = [];
  let pki: TestPki;
  let fake: VaultFake;

  before(async () => {
    pki = await createTestPki();
  });
  beforeEach(async () => {
    fake = await VaultFake.start(await pki.issue({ name: "vault", ip: ["127.0.0.1"], usage: "server" }), pki.ca);
  });
  afterEach(async () => {
    for (const kms of opened.splice(0)) await kms.close();
    await fake[Symbol.asyncDispose]();
  });

  const file = (name: string, text: string): string => {
    const path = join(folder(), name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    return path;
  };
  const config = (more: Partial<VaultKmsConfig> = {}): VaultKmsConfig => {
    const auth: VaultAuth = { method: "approle", roleId: "role-1", secretIdFile: file("secret-id", "secret-1\n") };
    const base = { address: fake.address, mount: "transit", key: "patients", ca: file("ca.pem", pki.ca) };
    return { provider: "vault", auth, ...base, ...more };
  };
  return () => ({
    fake,
    pki,
    file,
    config,
    open: async (more, clock) => {
      const kms = await openVaultKms(config(more), vaultPorts(clock));
      opened.push(kms);
      return kms;
    },
  });
}
