import { isIP } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { SealwrightError } from "../base/sealwright-error.ts";
import { systemClock } from "../base/clock.ts";
import type { Certificate } from "../proxy/certificate.ts";
import { TrustAnchors } from "../proxy/trust-anchors.ts";

/** What a server shows before anybody believes it. */
export interface PeerChain {
  /** The server's own certificate first, then what it sent beside it. */
  readonly certificates: readonly Certificate[];
  /** Whether the authorities that were given vouch for it; `undefined` = none were given. */
  readonly vouched: boolean | undefined;
}

export interface PeerQuestion {
  readonly host: string;
  readonly port: number;
  /** PEM of authorities to hold the chain against. */
  readonly ca: Buffer | undefined;
  /** PEM of a client certificate and key, for servers that say nothing without one. */
  readonly identity: { readonly cert: Buffer; readonly key: Buffer } | undefined;
}

const patienceMs = 10_000;
const longestChain = 8;

/**
 * Shakes hands by TLS 1.3 with a server and looks at its certificates, without believing them; nothing is sent.
 * Throws `upstream_unreachable`, `file_unreadable` (ca).
 */
export async function peerChain(question: PeerQuestion): Promise<PeerChain> {
  const { host, port, ca, identity } = question;
  const anchors = ca === undefined ? undefined : new TrustAnchors({ ca });
  const certificates = await shownBy({
    host,
    port,
    minVersion: "TLSv1.3",
    // Said in so many words, so that NODE_TLS_REJECT_UNAUTHORIZED has no say.
    rejectUnauthorized: true,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(identity ?? {}),
  });
  const [leaf] = certificates;
  const vouched = leaf === undefined ? undefined : anchors?.vouchesFor(leaf, systemClock.wallMs());
  return { certificates, vouched };
}

function shownBy(options: ConnectionOptions): Promise<readonly Certificate[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(options);
    const fail = (cause?: Error): void => {
      socket.destroy();
      reject(new SealwrightError("upstream_unreachable", { reason: "no TLS 1.3 handshake" }, cause));
    };
    socket.setTimeout(patienceMs, () => fail());
    socket.on("error", fail);
    // Comes before Node holds the chain against its authorities: to look is not to trust, and the connection ends either way.
    socket.prependOnceListener("secure", () => {
      resolve(chainOf(socket));
      setImmediate(() => socket.destroy());
    });
  });
}

function chainOf(socket: TLSSocket): readonly Certificate[] {
  const chain: Certificate[] = [];
  let certificate = socket.getPeerX509Certificate();
  while (certificate !== undefined && chain.length < longestChain) {
    chain.push(certificate);
    const next = certificate.issuerCertificate;
    certificate = next?.fingerprint256 === certificate.fingerprint256 ? undefined : next;
  }
  return chain;
}
