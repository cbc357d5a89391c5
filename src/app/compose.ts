import { systemClock } from "../base/clock.ts";
import { formatListenAddress, type ListenAddress } from "../base/listen-address.ts";
import type { Log } from "../base/log.ts";
import type { KeyService } from "../keys/key-service.ts";
import { openKeys } from "../keys/open-keys.ts";
import type { KmsByName } from "../keys/unwrapper.ts";
import { isDevelopmentKms } from "../kms/provider.ts";
import { startAdminListener } from "../ops/admin-listener.ts";
import { adminPages, metricsPages, probePages, type AdminPages } from "../ops/admin-pages.ts";
import { AdminToken } from "../ops/admin-token.ts";
import { keyPages } from "../ops/key-pages.ts";
import { Health } from "../ops/health.ts";
import type { Prometheus } from "../ops/prometheus.ts";
import { startListener } from "../proxy/listener.ts";
import type { RunningListener } from "../proxy/running-listener.ts";
import { composeListener, type Shared } from "./compose-listener.ts";
import type { ListenerConfig, SidecarConfig } from "./config/sidecar-config.ts";
import { noKeys } from "./no-keys.ts";
import { closeKms, openKmsByName } from "./open-kms-by-name.ts";
import { readTlsSet } from "./tls-files.ts";
import { TlsReload } from "./tls-reload.ts";
import { drainListeners, type StartedListener } from "./drain.ts";

/** Probes and scrapes under way at a stop are let finish for this long. */
const adminGraceMs = 1000;

export interface Surroundings {
  readonly log: Log;
  readonly prometheus: Prometheus;
}

export interface RunningSidecar {
  readonly admin: ListenAddress;
  readonly listeners: readonly StartedListener[];
  /** Every data key leaves the memory, and the keyring is read again. Never rejects. */
  purgeKeys(): Promise<void>;
  /**
   * Not ready any more; then inbound listeners are drained, then outbound ones, which the app needs until then; then keys are
   * zeroed. True = everything under way could finish.
   */
  stop(): Promise<boolean>;
}

/** Everything that was opened, and how it is closed again: the last first. */
type Closers = AsyncDisposableStack;

interface OpsParts extends Surroundings {
  readonly health: Health;
  readonly keys: () => KeyService | undefined;
}

async function openOps(config: SidecarConfig, parts: OpsParts, closers: Closers): Promise<ListenAddress> {
  const { prometheus, log, health, keys } = parts;
  const start = async (role: string, address: ListenAddress, pages: AdminPages): Promise<ListenAddress> => {
    const bound = await startAdminListener({ address, pages, ownHostOnly: role === "admin" });
    closers.defer(() => bound.close(adminGraceMs));
    log.info("ops_listener_started", { listener: role, address: formatListenAddress(bound.address) });
    return bound.address;
  };
  const ofKeys = keyPages(keys, new AdminToken(config.adminTokenFile, systemClock));
  const admin = await start("admin", config.admin, new Map([...adminPages(health, prometheus), ...ofKeys]));
  if (config.probes !== undefined) await start("probes", config.probes, probePages(health));
  if (config.metrics !== undefined) await start("metrics", config.metrics, metricsPages(prometheus));
  return admin;
}

function noteDevelopment(config: SidecarConfig, health: Health): void {
  for (const [name, kms] of config.kms)
    if (isDevelopmentKms(kms)) health.addNote(`KEK ${name} is for development only: its key is a file on this machine`);
}

async function openKeyService(
  config: SidecarConfig,
  kms: KmsByName,
  { log, prometheus }: Surroundings,
): Promise<KeyService | undefined> {
  if (config.keys === undefined) return undefined;
  const keys = await openKeys(config.keys, { clock: systemClock, log, metrics: prometheus.metrics, kms });
  try {
    await keys.start();
    return keys;
  } catch (error) {
    await keys.close();
    throw error;
  }
}

/** What happens to requests that no route matches is said at every start. */
const unmatchedWords = ({ routes }: ListenerConfig): string =>
  routes === undefined ? "no field map: everything passes as it is" : "unmatched: deny";

async function start(config: ListenerConfig, shared: Shared): Promise<StartedListener> {
  const tls = readTlsSet(config);
  const running: RunningListener = await startListener(composeListener(config, tls.material, shared));
  const { name: listener, direction } = config;
  const address = formatListenAddress(running.address);
  shared.log.info("listener_started", { listener, direction, address, reason: unmatchedWords(config) });
  return { config, running, tls };
}

/**
 * Builds the sidecar from the bottom up and starts it: key services, then keys (the keyring is verified before anything may
 * ask for one), then listeners: outbound first, so that an app that is called finds its store. Whatever fails closes the rest
 * again. Throws `listen_failed`, `file_unreadable`, `key_file`, `keyring_*`, `kms_*`.
 */
export async function startSidecar(config: SidecarConfig, surroundings: Surroundings): Promise<RunningSidecar> {
  const { log, prometheus } = surroundings;
  const closers = new AsyncDisposableStack();
  const health = new Health();
  const phase = { reason: "starting" as string | undefined };
  health.addCheck("sidecar", () => phase.reason);
  noteDevelopment(config, health);
  try {
    const opened: { keys?: KeyService } = {};
    const admin = await openOps(config, { ...surroundings, health, keys: () => opened.keys }, closers);
    const kms = await openKmsByName(config.kms, { log, metrics: prometheus.metrics });
    closers.defer(() => closeKms(kms));
    const keys = await openKeyService(config, kms, surroundings);
    if (keys !== undefined) {
      closers.defer(() => keys.close());
      health.addCheck("keys", () => reasonOf(keys));
      health.addNotes(() => keys.notes());
      prometheus.beforeScrape(() => keys.measure());
      opened.keys = keys;
    }
    const shared: Shared = { keys: keys ?? noKeys, log, metrics: prometheus.metrics };
    const listeners: StartedListener[] = [];
    closers.defer(async () => {
      await Promise.all(listeners.map(({ running }) => running.close()));
    });
    for (const direction of ["outbound", "inbound"])
      for (const listener of config.listeners.filter((each) => each.direction === direction))
        listeners.push(await start(listener, shared));
    const tls = new TlsReload(listeners, { clock: systemClock, log, metrics: prometheus.metrics });
    closers.defer(() => tls.stop());
    tls.start();
    phase.reason = undefined;
    return {
      admin,
      listeners,
      purgeKeys: async () => {
        await keys?.purge();
      },
      stop: async () => {
        phase.reason = "stopping";
        const inTime = await drainListeners(listeners, systemClock);
        await closers.disposeAsync();
        return inTime;
      },
    };
  } catch (error) {
    await closers.disposeAsync();
    throw error;
  }
}

function reasonOf(keys: KeyService): string | undefined {
  const { ready, reasons } = keys.readiness();
  return ready ? undefined : reasons.join("; ");
}
