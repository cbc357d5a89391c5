import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { SealwrightError } from "../base/sealwright-error.ts";
import { readCertificates } from "../proxy/certificate.ts";
import { parsePinFile, type Pin } from "../proxy/pins.ts";
import { readRevocationLists } from "../proxy/revocation-list.ts";
import type { TlsMaterial } from "../proxy/running-listener.ts";
import type { TlsIdentity, TlsTrust } from "../proxy/tls.ts";
import type { IdentityFiles, ListenerConfig, TrustFiles } from "./config/sidecar-config.ts";

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file }, error);
  }
}

/** A certificate and its key, proven to belong together. Throws `file_unreadable`, `key_file`. */
export function readIdentity(files: IdentityFiles): TlsIdentity {
  const identity = { cert: readPem(files.cert), key: readPem(files.key) };
  try {
    createSecureContext(identity);
  } catch (error) {
    throw new SealwrightError("key_file", { file: files.key, reason: `not the key of ${files.cert}` }, error);
  }
  return identity;
}

/** Throws `file_unreadable`: also for a file without a certificate, which would trust nobody. */
export function readTrust(files: TrustFiles): TlsTrust {
  const ca = readPem(files.ca);
  const { crl: list } = files;
  naming(files.ca, () => readCertificates(ca));
  if (list === undefined) return { ca };
  const crl = readPem(list);
  naming(list, () => {
    readRevocationLists(crl);
    createSecureContext({ ca, crl });
  });
  return { ca, crl };
}

/** Everything of a listener's TLS that lies in files. Throws `file_unreadable`, `key_file`. */
export function readTlsMaterial({ tls, upstream }: ListenerConfig): TlsMaterial {
  return {
    server:
      tls === undefined
        ? undefined
        : {
            identity: readIdentity(tls.identity),
            clients: tls.clients === undefined ? undefined : readTrust(tls.clients.trust),
          },
    upstream:
      upstream.tls === undefined
        ? undefined
        : {
            identity: upstream.tls.identity === undefined ? undefined : readIdentity(upstream.tls.identity),
            trust: readTrust(upstream.tls.trust),
            pins: [...upstream.tls.pins, ...readPins(upstream.tls.pinFile)],
          },
  };
}

/** The bytes of `tlsFilesOf`, not looked into. Throws `file_unreadable`. */
export function readTlsFiles(config: ListenerConfig): readonly Buffer[] {
  return tlsFilesOf(config).map(readPem);
}

/** The files that `readTlsMaterial` reads. */
export function tlsFilesOf({ tls, upstream }: ListenerConfig): readonly string[] {
  const identities = [tls?.identity, upstream.tls?.identity].filter((each) => each !== undefined);
  const trusts = [tls?.clients?.trust, upstream.tls?.trust].filter((each) => each !== undefined);
  return [
    ...(upstream.tls?.pinFile === undefined ? [] : [upstream.tls.pinFile]),
    ...identities.flatMap(({ cert, key }) => [cert, key]),
    ...trusts.flatMap(({ ca, crl }) => (crl === undefined ? [ca] : [ca, crl])),
  ];
}

/** Throws `file_unreadable`: also for a file without a pin, which would let any key pass. */
function readPins(file: string | undefined): readonly Pin[] {
  if (file === undefined) return [];
  const pins = parsePinFile(readPem(file).toString("utf8"));
  if (pins === undefined) throw new SealwrightError("file_unreadable", { file, reason: "no pins" });
  return pins;
}

function naming(file: string, work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (error instanceof SealwrightError) throw error.withFacts({ file });
    throw new SealwrightError("file_unreadable", { file, reason: "not usable for TLS" }, error);
  }
}
