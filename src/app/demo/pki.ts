import { createHash, generateKeyPair, randomBytes, sign, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

import * as der from "./der.ts";

/** A certificate and its private key, both PEM (the key as PKCS #8). */
export interface TestIdentity {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says. Names go to the SAN only; `name` is the CN, for people, never matched. */
export interface CertificateRequest {
  readonly name: string;
  readonly dns?: readonly string[];
  /** IPv4 dotted, or the IPv6 loopback `::1`. */
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
  /** Extended key usage. */
  readonly usage: "server" | "client" | "both";
  /** Default: an hour ago, so that clocks a little apart agree. */
  readonly notBefore?: Date;
  /** Default: a week from now. */
  readonly notAfter?: Date;
}

/** A certificate authority for demo and tests: EC P-256, in memory, its key is never written. */
export interface TestPki {
  /** The root, PEM. */
  readonly ca: string;
  issue(request: CertificateRequest): Promise<TestIdentity>;
  /** The same certificate signed by its own key, as a peer without any authority would show it. */
  selfSigned(request: CertificateRequest): Promise<TestIdentity>;
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const newKeys = (): Promise<KeyPair> => promisify(generateKeyPair)("ec", { namedCurve: "P-256" });

/**
 * A new authority. Two calls give two authorities that do not trust each other. Certificates follow RFC 5280 section 4 and
 * are written here because neither openssl nor a registry may be at hand where demo and tests run.
 */
export async function createTestPki(name = "Sealwright test CA"): Promise<TestPki> {
  const authority = await newKeys();
  const request: CertificateRequest = { name, usage: "both" };
  const root = certificate({
    request,
    subject: authority,
    issuer: name,
    signer: authority,
    extensions: rootExtensions,
  });
  return {
    ca: root,
    issue: async (request) => {
      const subject = await newKeys();
      return identity(subject, { request, subject, issuer: name, signer: authority, extensions: leafExtensions });
    },
    selfSigned: async (request) => {
      const subject = await newKeys();
      return identity(subject, { request, subject, issuer: request.name, signer: subject, extensions: leafExtensions });
    },
  };
}

interface Signing {
  readonly request: CertificateRequest;
  readonly subject: KeyPair;
  readonly issuer: string;
  readonly signer: KeyPair;
  readonly extensions: (request: CertificateRequest) => readonly Buffer[];
}

function identity(keys: KeyPair, signing: Signing): TestIdentity {
  return { cert: certificate(signing), key: keys.privateKey.export({ type: "pkcs8", format: "pem" }) };
}

const ecdsaWithSha256 = der.sequence(der.objectId("1.2.840.10045.4.3.2"));
const hour = 3_600_000;

/** RFC 5280 section 4.1: TBSCertificate, algorithm, signature. */
function certificate({ request, subject, issuer, signer, extensions }: Signing): string {
  const now = Date.now();
  const signed = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    serialNumber(),
    ecdsaWithSha256,
    commonName(issuer),
    der.sequence(
      der.time(request.notBefore ?? new Date(now - hour)),
      der.time(request.notAfter ?? new Date(now + 7 * 24 * hour)),
    ),
    commonName(request.name),
    spki(subject),
    der.explicit(
      3,
      der.sequence(
        ...extensions(request),
        extension("2.5.29.14", der.octetString(keyIdentifier(subject))),
        extension("2.5.29.35", der.sequence(der.implicit(0, keyIdentifier(signer)))),
      ),
    ),
  );
  const whole = der.sequence(signed, ecdsaWithSha256, der.bitString(sign("sha256", signed, signer.privateKey)));
  const lines = whole.toString("base64").replace(/.{1,64}/gu, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`;
}

/** 16 bytes, positive and without a leading zero byte. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return der.integer(bytes);
}

const commonName = (name: string): Buffer =>
  der.sequence(der.set(der.sequence(der.objectId("2.5.4.3"), der.utf8String(name))));

const spki = (keys: KeyPair): Buffer => keys.publicKey.export({ type: "spki", format: "der" });

/** Any name of the key will do (RFC 5280 section 4.2.1.2); 20 bytes is what readers expect. */
const keyIdentifier = (keys: KeyPair): Buffer => createHash("sha256").update(spki(keys)).digest().subarray(0, 20);

const extension = (id: string, value: Buffer): Buffer => der.sequence(der.objectId(id), der.octetString(value));

const critical = (id: string, value: Buffer): Buffer =>
  der.sequence(der.objectId(id), der.boolean(true), der.octetString(value));

/** Certificate authority with no authority below it; signs certificates (bit 5) and revocation lists (bit 6). */
const rootExtensions = (): readonly Buffer[] => [
  critical("2.5.29.19", der.sequence(der.boolean(true), der.integer(Buffer.from([0])))),
  critical("2.5.29.15", der.namedBits(5, 6)),
];

const purposes = {
  server: ["1.3.6.1.5.5.7.3.1"],
  client: ["1.3.6.1.5.5.7.3.2"],
  both: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
} as const;

/** No authority; signs handshakes (bit 0). */
function leafExtensions(request: CertificateRequest): readonly Buffer[] {
  const names = [
    ...(request.dns ?? []).map((name) => der.implicit(2, Buffer.from(name))),
    ...(request.uri ?? []).map((uri) => der.implicit(6, Buffer.from(uri))),
    ...(request.ip ?? []).map((address) => der.implicit(7, addressBytes(address))),
  ];
  return [
    critical("2.5.29.19", der.sequence()),
    critical("2.5.29.15", der.namedBits(0)),
    extension("2.5.29.37", der.sequence(...purposes[request.usage].map(der.objectId))),
    // An empty SAN is malformed.
    ...(names.length === 0 ? [] : [extension("2.5.29.17", der.sequence(...names))]),
  ];
}

const addressBytes = (address: string): Buffer =>
  address === "::1" ? Buffer.from([...new Array<number>(15).fill(0), 1]) : Buffer.from(address.split(".").map(Number));
