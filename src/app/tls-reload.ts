import type { Clock } from "../base/clock.ts";
import { FileWatch } from "../base/file-watch.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { asSealwrightError } from "../base/sealwright-error.ts";
import type { TlsMaterial } from "../proxy/running-listener.ts";
import type { StartedListener } from "./drain.ts";
import { readTlsFiles, readTlsMaterial, tlsFilesOf } from "./tls-files.ts";
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
  /** What the files held when `#material` was last read from them. */
  #seen: readonly Buffer[];
  #material: TlsMaterial;
  #lifetimes: readonly TlsLifetime[];
  #takenAt: number;
  #failure: string | undefined;
  readonly #told = new Set<string>();

  /** Reads what the listener was started with. Throws `file_unreadable`, `key_file`. */
  constructor(started: StartedListener, ports: Ports) {
    this.#started = started;
    this.#ports = ports;
    this.#seen = readTlsFiles(started.config);
    this.#material = readTlsMaterial(started.config);
    this.#lifetimes = tlsLifetimes(this.#material);
    this.#takenAt = ports.clock.monotonicMs();
    // What changed between the listener's own reading and this one.
    started.running.replaceTls(this.#material);
    this.#measure();
  }

  /** Takes a changed set into use when all of it is good; else the one in use stays. */
  look(): void {
    const { config } = this.#started;
    try {
      const seen = readTlsFiles(config);
      const isDue = this.#ports.clock.monotonicMs() - this.#takenAt >= freshTicketsMs;
      // Most looks find nothing new: a long revocation list is not parsed again and again.
      if (isDue || !sameBytes(seen, this.#seen)) this.#reread(seen, isDue);
      this.#failure = undefined;
    } catch (error) {
      this.#tell(error);
    }
    this.#warnOfEnds();
  }

  #reread(seen: readonly Buffer[], isDue: boolean): void {
    const found = readTlsMaterial(this.#started.config);
    const changed = !sameMaterial(found, this.#material);
    if (changed || isDue) this.#take(found, changed);
    this.#seen = seen;
  }

  #take(material: TlsMaterial, changed: boolean): void {
    const { config, running } = this.#started;
    const lifetimes = tlsLifetimes(material);
    running.replaceTls(material);
    this.#material = material;
    this.#lifetimes = lifetimes;
    this.#takenAt = this.#ports.clock.monotonicMs();
    this.#told.clear();
    if (!changed) return;
    this.#ports.metrics.count("sealwright_tls_reloads_total", { listener: config.name, outcome: "ok" });
    this.#ports.log.info("tls_reloaded", { listener: config.name });
    this.#measure();
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

  /** Throws `file_unreadable`, `key_file`. */
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

function sameMaterial(a: TlsMaterial, b: TlsMaterial): boolean {
  const one = bytesOf(a);
  const other = bytesOf(b);
  return (
    one.length === other.length &&
    one.every((pem, index) => pem?.equals(other[index] ?? Buffer.alloc(0)) ?? other[index] === undefined)
  );
}

const sameBytes = (a: readonly Buffer[], b: readonly Buffer[]): boolean =>
  a.length === b.length && a.every((bytes, index) => bytes.equals(b[index] ?? Buffer.alloc(0)));

function bytesOf({ server, upstream }: TlsMaterial): readonly (Buffer | undefined)[] {
  return [
    ...[server?.identity, upstream?.identity].flatMap((identity) => [identity?.cert, identity?.key]),
    ...[server?.clients, upstream?.trust].flatMap((trust) => [trust?.ca, trust?.crl]),
    ...(upstream?.pins ?? []),
  ];
}
