import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { openKmsByName, closeKms, commandRate } from "../../src/app/open-kms-by-name.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { noMetrics } from "../../src/base/metrics.ts";
import { createKeyring } from "../../src/keys/life-cycle/keyring-life-cycle.ts";
import type { KeyringOffice } from "../../src/keys/keyring/keyring-office.ts";
import { shardAt, withEntries } from "../../src/keys/keyring/keyring-shard.ts";
import { changeKeyring } from "../../src/keys/keyring/change-keyring.ts";
import { openKeyringStore } from "../../src/keys/keyring/stores/open-keyring-store.ts";
import { laboured } from "../../src/keys/life-cycle/labour.ts";
import { mintKey, newEntry } from "../../src/keys/life-cycle/new-entry.ts";
import { OpenBao, usePolicy } from "../real/stage/openbao.ts";
import type { BenchRow } from "./bench-row.ts";

const program = resolve(import.meta.dirname, "../../src/app/cli/sealwright.js");
const counts = [1000, 10_000];

/** Keys of so many tenants in one file, wrapped by OpenBao; then `keys rewrap` to a new version of the KEK, as a process. */
export async function rewrapBench(): Promise<readonly BenchRow[]> {
  await using bao = await OpenBao.start();
  await bao.createKey("patients");
  await bao.writePolicy("admin", usePolicy("patients"));
  const tokenFile = await bao.secretFile(await bao.createToken({ policies: ["admin"], ttl: "1h" }));
  const kek = bao.kek("patients", { method: "token", tokenFile });
  const rows: BenchRow[] = [];
  for (const count of counts) {
    const config = await writeFolder(bao, { count, tokenFile });
    const kms = await openKmsByName(new Map([["main", kek]]), {
      log: silentLog,
      metrics: noMetrics,
      rate: commandRate,
    });
    try {
      const path = join(bao.folder, `keyring-${count}.json`);
      await fill({ store: openKeyringStore(path), kms, keks: ["main"], clock: systemClock }, count);
    } finally {
      await closeKms(kms);
    }
    await bao.rotateKey("patients");
    const { seconds, peakMiB } = await rewrap(config);
    rows.push(
      { name: `keys rewrap, ${count} entries, OpenBao`, value: count / seconds, unit: "entries/s" },
      { name: `keys rewrap, ${count} entries: most memory`, value: peakMiB, unit: "MiB" },
    );
  }
  return rows;
}

async function writeFolder(bao: OpenBao, { count, tokenFile }: { count: number; tokenFile: string }): Promise<string> {
  const path = join(bao.folder, `sidecar-${count}.yaml`);
  await writeFile(
    path,
    `apiVersion: sealwright.dev/v1
kind: Sidecar
kms:
  main: { provider: vault, address: "${bao.address}", key: patients, ca: ${bao.ca}, auth: { method: token, tokenFile: ${tokenFile} } }
keys: { form: keyring, kek: main, keyring: keyring-${count}.json }
listeners:
  - { name: store, direction: outbound, listen: 127.0.0.1:8081, upstream: { url: "http://127.0.0.1:8080" } }
`,
  );
  return path;
}

async function fill(office: KeyringOffice, count: number): Promise<void> {
  await createKeyring(office);
  const tenants = Array.from({ length: count }, (_, index) => `tenant-${index}`);
  const labour = { parallel: 16, clock: systemClock, random: Math.random, progress: () => undefined };
  const mint = (tenant: string) => mintKey(office, { use: "randomized", scope: { tenant } });
  const keys = await laboured(tenants, mint, labour);
  const nowMs = systemClock.wallMs();
  await changeKeyring(office, (keyring) => {
    const entries = keys.map((key) => newEntry(keyring, key, { state: "active", nowMs, notBeforeMs: nowMs }));
    return Promise.resolve({ shard: withEntries(shardAt(keyring, 0), entries), result: undefined });
  });
}

/** Time of the whole process, and the most that it had in memory, which it reads at its own end. */
async function rewrap(config: string): Promise<{ readonly seconds: number; readonly peakMiB: number }> {
  const started = performance.now();
  const tellPeak = `data:text/javascript,process.on("exit",()=>process.stderr.write("peak "+process.resourceUsage().maxRSS+"\\n"))`;
  const child = spawn(process.execPath, ["--import", tellPeak, program, "keys", "rewrap", "-c", config, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  const seconds = (performance.now() - started) / 1000;
  if (!stdout.includes('"ok":true')) throw new Error(`keys rewrap failed: ${stdout}${stderr}`);
  return { seconds, peakMiB: Number(/peak (\d+)/u.exec(stderr)?.[1]) / 1024 };
}
