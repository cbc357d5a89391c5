import { SealwrightError } from "../base/sealwright-error.ts";
import { CachedKeysGauge } from "./cached-keys-gauge.ts";
import { FormKeys } from "./form-keys.ts";
import { InlineKeys } from "./inline-keys.ts";
import type { KeyService, KeysPorts } from "./key-service.ts";
import { KeyringKeys } from "./keyring-keys.ts";
import { KeyringWatch } from "./keyring-watch.ts";
import type { KeysConfig } from "./keys-config.ts";

/** The keys of a sidecar as `config` describes them. Nothing is read before `start`. Throws `config_invalid`. */
export function openKeys(config: KeysConfig, ports: KeysPorts): Promise<KeyService> {
  return Promise.resolve(keyServiceOf(config, ports));
}

function keyServiceOf(config: KeysConfig, ports: KeysPorts): KeyService {
  if (!ports.kms.has(config.kek)) throw new SealwrightError("config_invalid", { reason: "keys.kek", kek: config.kek });
  const accepted = new Set(config.accept ?? [config.form]);
  const used = new Set([config.form, ...accepted]);
  const gauge = new CachedKeysGauge(ports.metrics);
  return new FormKeys(config.form, accepted, {
    inline: used.has("inline") ? new InlineKeys(config, ports, gauge) : undefined,
    keyring: used.has("keyring") ? watchedKeyring(config, ports, gauge) : undefined,
  });
}

function watchedKeyring(config: KeysConfig, ports: KeysPorts, gauge: CachedKeysGauge): KeyringWatch {
  const { keyring, rootId } = config;
  if (keyring === undefined) throw new SealwrightError("config_invalid", { reason: "keys.keyring" });
  return new KeyringWatch(new KeyringKeys(config, ports, gauge), { path: keyring, rootId, kms: ports.kms }, ports);
}
