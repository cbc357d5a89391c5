import { isIP } from "node:net";
import { TLSSocket } from "node:tls";
import { buildConnector } from "undici";
import type { Clock } from "../base/clock.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import { clientTlsOptions, type ClientTls } from "./tls.ts";
import { checkUpstreamIdentity, type UpstreamIdentity } from "./upstream-identity.ts";

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

function checkPeer(socket: unknown, expected: UpstreamIdentity, clock: Clock): void {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) throw new SealwrightError("upstream_identity", { reason: "no certificate" });
  checkUpstreamIdentity(expected, certificate, clock.wallMs());
}

/** Opens connections to the upstream; a TLS one is handed over only after the peer has been checked. */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const { tls, connectMs, clock } = options;
  if (tls === undefined) return buildConnector({ allowH2: false, timeout: connectMs });
  const { servername } = tls.expected;
  const connect = buildConnector({
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
  return (target, callback) => {
    connect(target, (error, socket) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      try {
        checkPeer(socket, tls.expected, clock);
        callback(null, socket);
      } catch (failure) {
        socket.destroy();
        callback(failure instanceof Error ? failure : new SealwrightError("upstream_identity"), null);
      }
    });
  };
}
