import { SealwrightError } from "../base/sealwright-error.ts";
import { CachedKeysGauge } from "./cached-keys-gauge.ts";
import { FormKeys } from "./form-keys.ts";
import { InlineKeys } from "./inline-keys.ts";
import type { KeyService, KeysPorts } from "./key-service.ts";
import type { KeyTools } from "./key-tools.ts";
import { KeyUsage } from "./usage/key-usage.ts";
import { KeyringKeys } from "./keyring-keys.ts";
import { KeyringWatch } from "./keyring-watch.ts";
import type { KeysConfig } from "./keys-config.ts";
import { openKeyringStore } from "./keyring/stores/open-keyring-store.ts";
import { Unwrapper } from "./unwrapper.ts";
import { UsageFile } from "./usage/usage-file.ts";

/** The keys of a sidecar as `config` describes them. Nothing is read before `start`. Throws `config_invalid`. */
export function openKeys(config: KeysConfig, ports: KeysPorts): Promise<KeyService> {
  return Promise.resolve(keyServiceOf(config, ports));
}

function keyServiceOf(config: KeysConfig, ports: KeysPorts): KeyService {
  if (!ports.kms.has(config.kek)) throw new SealwrightError("config_invalid", { reason: "keys.kek", kek: config.kek });
  const { form, usageReport } = config;
  const accepted = new Set(config.accept ?? [form]);
  const used = new Set([form, ...accepted]);
  const usage = new KeyUsage(ports.clock);
  const unwrapper = new Unwrapper(ports, preferredKeks(config));
  const tools = { ports, usage, unwrapper, gauge: new CachedKeysGauge(ports.metrics) };
  return new FormKeys(
    {
      form,
      accepted,
      inline: used.has("inline") ? new InlineKeys(config, tools) : undefined,
      keyring: used.has("keyring") ? watchedKeyring(config, tools) : undefined,
      usageFile: usageReport === undefined ? undefined : new UsageFile(usageReport, usage, ports),
    },
    tools,
  );
}

function watchedKeyring(config: KeysConfig, tools: KeyTools): KeyringWatch {
  const { keyring, rootId } = config;
  if (keyring === undefined) throw new SealwrightError("config_invalid", { reason: "keys.keyring" });
  const place = { store: openKeyringStore(keyring), rootId, kms: tools.ports.kms, keks: preferredKeks(config) };
  return new KeyringWatch(new KeyringKeys(config, tools), place, tools.ports);
}

function preferredKeks({ kek, wraps = [] }: KeysConfig): readonly string[] {
  return [kek, ...wraps];
}
