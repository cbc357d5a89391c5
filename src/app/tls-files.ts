import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { SealwrightError } from "../base/sealwright-error.ts";
import { readCertificates } from "../proxy/certificate.ts";
import { parsePinFile, type Pin } from "../proxy/pins.ts";
import { readRevocationLists } from "../proxy/revocation-list.ts";
import type { TlsMaterial } from "../proxy/running-listener.ts";
import type { TlsIdentity, TlsTrust } from "../proxy/tls.ts";
import type { IdentityFiles, ListenerConfig, TrustFiles } from "./config/sidecar-config.ts";

/** What a listener's TLS files held when they were read, by path. */
export type TlsBytes = ReadonlyMap<string, Buffer>;

/** What a listener's TLS stands on, and the very bytes it was made of. */
export interface TlsSet {
  readonly bytes: TlsBytes;
  readonly material: TlsMaterial;
}

/** Throws `file_unreadable`, `key_file`. */
export function readTlsSet(config: ListenerConfig): TlsSet {
  const bytes = readTlsBytes(config);
  return { bytes, material: tlsMaterial(config, bytes) };
}

/** Not looked into. Throws `file_unreadable`. */
export function readTlsBytes(config: ListenerConfig): TlsBytes {
  return new Map(tlsFilesOf(config).map((file) => [file, readPem(file)]));
}

/** Everything of a listener's TLS that lies in files. Throws `file_unreadable`, `key_file`. */
export function tlsMaterial({ tls, upstream }: ListenerConfig, bytes: TlsBytes): TlsMaterial {
  return {
    server:
      tls === undefined
        ? undefined
        : {
            identity: identityOf(tls.identity, bytes),
            clients: tls.clients === undefined ? undefined : trustOf(tls.clients.trust, bytes),
          },
    upstream:
      upstream.tls === undefined
        ? undefined
        : {
            identity: upstream.tls.identity === undefined ? undefined : identityOf(upstream.tls.identity, bytes),
            trust: trustOf(upstream.tls.trust, bytes),
            pins: [...upstream.tls.pins, ...pinsOf(upstream.tls.pinFile, bytes)],
          },
  };
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file }, error);
  }
}

function held(file: string, bytes: TlsBytes): Buffer {
  const pem = bytes.get(file);
  if (pem === undefined) throw new SealwrightError("file_unreadable", { file });
  return pem;
}

/** A certificate and its key, proven to belong together. Throws `key_file`. */
function identityOf(files: IdentityFiles, bytes: TlsBytes): TlsIdentity {
  const identity = { cert: held(files.cert, bytes), key: held(files.key, bytes) };
  try {
    createSecureContext(identity);
  } catch (error) {
    throw new SealwrightError("key_file", { file: files.key, reason: `not the key of ${files.cert}` }, error);
  }
  return identity;
}

/** Throws `file_unreadable`: also for a file without a certificate, which would trust nobody. */
function trustOf(files: TrustFiles, bytes: TlsBytes): TlsTrust {
  const ca = held(files.ca, bytes);
  const { crl: list } = files;
  naming(files.ca, () => readCertificates(ca));
  if (list === undefined) return { ca };
  const crl = held(list, bytes);
  naming(list, () => {
    readRevocationLists(crl);
    createSecureContext({ ca, crl });
  });
  return { ca, crl };
}

/** Every file that a listener's TLS stands on. */
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
function pinsOf(file: string | undefined, bytes: TlsBytes): readonly Pin[] {
  if (file === undefined) return [];
  const pins = parsePinFile(held(file, bytes).toString("utf8"));
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
