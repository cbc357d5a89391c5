import type { Clock } from "../base/clock.ts";
import { FileWatch } from "../base/file-watch.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { asSealwrightError } from "../base/sealwright-error.ts";
import type { StartedListener } from "./drain.ts";
import { readTlsBytes, tlsFilesOf, tlsMaterial, type TlsBytes, type TlsSet } from "./tls-files.ts";
import { isNearEnd, tlsLifetimes, type TlsLifetime } from "./tls-lifetimes.ts";

interface Ports {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How often files are looked at that no watch has noticed, milliseconds. */
const pollMs = 10_000;
/** Fresh session ticket keys, and a word on certificates near their end, at least this often, milliseconds. */
const freshTicketsMs = 12 * 3_600_000;

/** What one listener runs on. */
class ListenerTlsState {
  readonly #started: StartedListener;
  readonly #ports: Ports;
  #set: TlsSet;
  #lifetimes: readonly TlsLifetime[];
  #takenAt: number;
  #failure: string | undefined;
  readonly #told = new Set<string>();

  constructor(started: StartedListener, ports: Ports) {
    this.#started = started;
    this.#ports = ports;
    this.#set = started.tls;
    this.#lifetimes = tlsLifetimes(started.tls.material);
    this.#takenAt = ports.clock.monotonicMs();
    this.#measure();
  }

  /** Takes a changed set into use when all of it is good; else the one in use stays. */
  look(): void {
    const { config } = this.#started;
    try {
      const bytes = readTlsBytes(config);
      // Most looks find nothing new: a long revocation list is not parsed again and again.
      if (!sameBytes(bytes, this.#set.bytes)) this.#takeChanged({ bytes, material: tlsMaterial(config, bytes) });
      else if (this.#ports.clock.monotonicMs() - this.#takenAt >= freshTicketsMs) this.#take(this.#set);
      this.#failure = undefined;
    } catch (error) {
      this.#tell(error);
    }
    this.#warnOfEnds();
  }

  #takeChanged(set: TlsSet): void {
    const lifetimes = tlsLifetimes(set.material);
    this.#take(set);
    this.#lifetimes = lifetimes;
    const listener = this.#started.config.name;
    this.#ports.metrics.count("sealwright_tls_reloads_total", { listener, outcome: "ok" });
    this.#ports.log.info("tls_reloaded", { listener });
    this.#measure();
  }

  #take(set: TlsSet): void {
    this.#started.running.replaceTls(set.material);
    this.#set = set;
    this.#takenAt = this.#ports.clock.monotonicMs();
    this.#told.clear();
  }

  #tell(error: unknown): void {
    const { code, facts } = asSealwrightError(error);
    const { file, reason } = facts;
    const failure = [code, file, reason].join(" ");
    // Told once, not at every look; half-written sets are mended by the next one.
    if (failure === this.#failure) return;
    this.#failure = failure;
    const listener = this.#started.config.name;
    this.#ports.metrics.count("sealwright_tls_reloads_total", { listener, outcome: code });
    this.#ports.log.error("tls_not_reloaded", {
      listener,
      code,
      ...(file === undefined ? {} : { file }),
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #measure(): void {
    const listener = this.#started.config.name;
    for (const { role, notAfter } of this.#lifetimes)
      this.#ports.metrics.gauge("sealwright_certificate_end_timestamp", notAfter / 1000, { listener, role });
    this.#warnOfEnds();
  }

  #warnOfEnds(): void {
    for (const lifetime of this.#lifetimes) {
      const { role, notAfter } = lifetime;
      if (this.#told.has(role) || !isNearEnd(lifetime, this.#ports.clock.wallMs())) continue;
      this.#told.add(role);
      const reason = `${role} ends ${new Date(notAfter).toISOString()}`;
      this.#ports.log.warn("certificate_near_end", { listener: this.#started.config.name, reason });
    }
  }
}

/**
 * Certificates, keys, authorities and revocation lists of running listeners, taken into use when their files change. A set
 * that is broken, half-written or does not fit together changes nothing.
 */
export class TlsReload {
  readonly #states: readonly ListenerTlsState[];
  readonly #watch: FileWatch;

  constructor(listeners: readonly StartedListener[], ports: Ports) {
    const secured = listeners.filter(({ config }) => tlsFilesOf(config).length > 0);
    this.#states = secured.map((started) => new ListenerTlsState(started, ports));
    this.#watch = new FileWatch({
      paths: secured.flatMap(({ config }) => tlsFilesOf(config)),
      look: () => {
        for (const state of this.#states) state.look();
        return Promise.resolve();
      },
      pollMs,
      clock: ports.clock,
    });
  }

  start(): void {
    if (this.#states.length > 0) this.#watch.start();
  }

  lookNow(): Promise<void> {
    return this.#watch.lookNow();
  }

  stop(): void {
    this.#watch.stop();
  }
}

const sameBytes = (a: TlsBytes, b: TlsBytes): boolean => [...a].every(([file, bytes]) => b.get(file)?.equals(bytes));
