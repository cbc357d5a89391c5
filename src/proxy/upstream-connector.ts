import { isIP } from "node:net";
import { TLSSocket } from "node:tls";
import { buildConnector } from "undici";
import type { Clock } from "../base/clock.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import { isPinned, type Pin } from "./pins.ts";
import { clientTlsOptions, type ClientTls } from "./tls.ts";
import { TrustAnchors } from "./trust-anchors.ts";
import { checkPins, checkUpstreamIdentity, type UpstreamIdentity } from "./upstream-identity.ts";

/** How a TLS upstream is reached and known again. */
export interface UpstreamTls extends ClientTls {
  readonly expected: UpstreamIdentity;
}

export interface ConnectorOptions {
  readonly tls: UpstreamTls | undefined;
  /** Milliseconds for TCP and TLS together. */
  readonly connectMs: number;
  readonly clock: Clock;
}

/** Opens connections to the upstream; a TLS one is handed over only after the peer has been checked. */
export class UpstreamConnector {
  readonly #options: ConnectorOptions;
  readonly #open = new Set<TLSSocket>();
  #connect: buildConnector.connector;
  #pins: readonly Pin[];
  /** What is trusted now, once that has been replaced. */
  #anchors: TrustAnchors | undefined;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#connect = this.#builtFor(options.tls);
    this.#pins = options.tls?.pins ?? [];
  }

  /** As undici calls it. */
  readonly connect: buildConnector.connector = (target, callback) => {
    const { tls } = this.#options;
    if (tls === undefined) {
      this.#connect(target, callback);
      return;
    }
    const begunUnder = this.#anchors;
    this.#connect(target, (error, socket) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      try {
        this.#checkPeer(socket, tls.expected, begunUnder);
        callback(null, socket);
      } catch (failure) {
        socket.destroy();
        callback(failure instanceof Error ? failure : new SealwrightError("upstream_identity"), null);
      }
    });
  };

  /** From the next connection on; open ones end where the new trust no longer vouches for the upstream. */
  replaceTls(tls: ClientTls): void {
    if (this.#options.tls === undefined) return;
    const anchors = new TrustAnchors(tls.trust);
    this.#connect = this.#builtFor({ ...tls, expected: this.#options.tls.expected });
    this.#pins = tls.pins;
    this.#anchors = anchors;
    const now = this.#options.clock.wallMs();
    for (const socket of this.#open) {
      const certificate = socket.getPeerX509Certificate();
      if (certificate === undefined || !anchors.vouchesFor(certificate, now) || !isPinned(tls.pins, certificate))
        socket.destroy();
    }
  }

  #builtFor(tls: UpstreamTls | undefined): buildConnector.connector {
    const { connectMs } = this.#options;
    if (tls === undefined) return buildConnector({ allowH2: false, timeout: connectMs });
    const { servername } = tls.expected;
    return buildConnector({
      ...clientTlsOptions(tls),
      // SNI carries names only (RFC 6066 section 3).
      ...(isIP(servername) === 0 ? { servername } : {}),
      // Names are checked below, never by the common name.
      checkServerIdentity: () => undefined,
      // A resumed session shows no certificate (Node keeps the chain only, and a ticket holds none), so there is nothing to
      // check: every connection makes a full handshake.
      maxCachedSessions: 0,
      allowH2: false,
      timeout: connectMs,
    });
  }

  /** `begunUnder`: what was trusted when the connection was begun, which is all that TLS has held it against. */
  #checkPeer(socket: unknown, expected: UpstreamIdentity, begunUnder: TrustAnchors | undefined): void {
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    if (certificate === undefined || !(socket instanceof TLSSocket))
      throw new SealwrightError("upstream_identity", { reason: "no certificate" });
    const now = this.#options.clock.wallMs();
    checkUpstreamIdentity(expected, certificate, now);
    if (this.#anchors !== begunUnder && this.#anchors?.vouchesFor(certificate, now) === false)
      throw new SealwrightError("upstream_identity", { reason: "trusted no more" });
    checkPins(this.#pins, certificate);
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
  }
}
