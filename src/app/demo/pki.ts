import "reflect-metadata";
import * as x509 from "@peculiar/x509";

/** A certificate and its private key, both PEM (the key as PKCS #8). */
export interface TestIdentity {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says. Names go to the SAN only; `name` is the CN, for people, never matched. */
export interface CertificateRequest {
  readonly name: string;
  readonly dns?: readonly string[];
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
  /** A list of what this authority has revoked, PEM: serials as certificates show them. */
  revoke(serials: readonly string[], nextUpdate?: Date): Promise<string>;
  /** The same certificate signed by its own key, as a peer without any authority would show it. */
  selfSigned(request: CertificateRequest): Promise<TestIdentity>;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const hour = 3_600_000;

const newKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

/** A new authority. Two calls give two authorities that do not trust each other. */
export async function createTestPki(name = "Sealwright test CA"): Promise<TestPki> {
  const authority = await newKeys();
  const issuer = `CN=${name}`;
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: issuer,
    keys: authority,
    signingAlgorithm: algorithm,
    ...validity({}),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authority.publicKey),
    ],
  });

  const issue = async (request: CertificateRequest, signer?: CryptoKeyPair): Promise<TestIdentity> => {
    const keys = await newKeys();
    const signing = signer ?? keys;
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${request.name}`,
      issuer: signer === undefined ? `CN=${request.name}` : issuer,
      publicKey: keys.publicKey,
      signingKey: signing.privateKey,
      signingAlgorithm: algorithm,
      ...validity(request),
      extensions: [
        ...leafExtensions(request),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(signing.publicKey),
      ],
    });
    return { cert: `${certificate.toString("pem")}\n`, key: await privateKeyPem(keys) };
  };

  return {
    ca: `${root.toString("pem")}\n`,
    issue: (request) => issue(request, authority),
    revoke: async (serials, nextUpdate = new Date(Date.now() + 24 * hour)) => {
      const list = await x509.X509CrlGenerator.create({
        issuer,
        thisUpdate: new Date(Date.now() - hour),
        nextUpdate,
        signingAlgorithm: algorithm,
        signingKey: authority.privateKey,
        entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(Date.now() - hour) })),
        extensions: [await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey)],
      });
      return `${x509.PemConverter.encode(list.rawData, "X509 CRL")}\n`;
    },
    selfSigned: (request) => issue(request),
  };
}

function validity(request: Pick<CertificateRequest, "notBefore" | "notAfter">): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    notBefore: request.notBefore ?? new Date(now - hour),
    notAfter: request.notAfter ?? new Date(now + 7 * 24 * hour),
  };
}

const purposes = {
  server: [x509.ExtendedKeyUsage.serverAuth],
  client: [x509.ExtendedKeyUsage.clientAuth],
  both: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
} as const;

function leafExtensions(request: CertificateRequest): x509.Extension[] {
  const names: x509.JsonGeneralNames = [
    ...(request.dns ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(request.uri ?? []).map((value) => ({ type: "url" as const, value })),
    ...(request.ip ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([...purposes[request.usage]]),
    // An empty SAN is malformed.
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
  ];
}

async function privateKeyPem(keys: CryptoKeyPair): Promise<string> {
  const der = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`;
}
