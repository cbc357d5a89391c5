import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { fieldMapFile, sidecarFile, type DemoPorts } from "./demo-config.ts";
import { createTestPki, type TestIdentity } from "./pki.ts";

/** What lies in the demo's scratch folder, and the identities that never touch the disk unless asked for. */
export interface DemoFiles {
  readonly folder: string;
  /** The store's data. */
  readonly storeData: string;
  /** Configuration, certificates and keys of the sidecar. */
  readonly config: string;
  readonly sidecar: string;
  /** Logs of the children. */
  readonly logs: string;
  readonly ca: string;
  /** A gateway before the inbound listener, by its name on the allow-list. */
  readonly gateway: TestIdentity;
  /** Good certificate, name not on the list. */
  readonly stranger: TestIdentity;
  /** Who reads the store past Sealwright. */
  readonly outsider: TestIdentity;
}

/** Makes the test PKI and writes the configuration that an operator would. */
export async function writeDemoFiles(folder: string, ports: DemoPorts): Promise<DemoFiles> {
  const at = (name: string): string => join(folder, name);
  const [storeData, config, logs, store] = [at("store-data"), at("config"), at("logs"), at("store")];
  await Promise.all([storeData, config, logs, store].map((name) => mkdir(name, { mode: 0o700 })));

  const pki = await createTestPki("Sealwright demo CA");
  const loopback = { dns: ["localhost"], ip: ["127.0.0.1"] };
  const sidecarIdentity = await pki.issue({ name: "sealwright", ...loopback, usage: "both" });
  const storeIdentity = await pki.issue({ name: "store", ...loopback, usage: "server" });
  const gateway = await pki.issue({ name: "gateway", dns: ["gateway.internal"], usage: "client" });
  const stranger = await pki.issue({ name: "stranger", dns: ["stranger.internal"], usage: "client" });
  const outsider = await pki.issue({ name: "outsider", dns: ["outsider.internal"], usage: "client" });

  const write = (name: string, text: string): Promise<void> => writeFile(at(name), text, { mode: 0o600 });
  await Promise.all([
    write("config/ca.crt", pki.ca),
    write("config/sealwright.crt", sidecarIdentity.cert),
    write("config/sealwright.key", sidecarIdentity.key),
    write("config/sidecar.yaml", sidecarFile(ports)),
    write("config/patients.yaml", fieldMapFile),
    write("store/store.crt", storeIdentity.cert),
    write("store/store.key", storeIdentity.key),
    write("gateway.crt", gateway.cert),
    write("gateway.key", gateway.key),
    write("outsider.crt", outsider.cert),
    write("outsider.key", outsider.key),
  ]);
  return {
    folder,
    storeData,
    config,
    sidecar: at("config/sidecar.yaml"),
    logs,
    ca: pki.ca,
    gateway,
    stranger,
    outsider,
  };
}
