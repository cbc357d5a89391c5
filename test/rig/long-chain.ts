import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const hour = 3_600_000;

/** A root, an authority below it, and a client whose certificate that one signed. All PEM. */
export interface LongChain {
  readonly root: string;
  /** The client's own certificate, then the authority's. */
  readonly client: { readonly cert: string; readonly key: string };
  /** Lists of both authorities; `authorityRevoked`: the root's names the one below it. */
  lists(authorityRevoked: boolean): Promise<string>;
}

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

const newKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
const pem = (certificate: x509.X509Certificate): string => `${certificate.toString("pem")}\n`;

async function signed(
  name: string,
  issuer: Authority | undefined,
  extensions: readonly x509.Extension[],
): Promise<Authority> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - hour),
    notAfter: new Date(Date.now() + hour),
    extensions: [
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create((issuer?.keys ?? keys).publicKey),
    ],
  });
  return { certificate, keys };
}

const authority = [
  new x509.BasicConstraintsExtension(true, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
];

async function listOf({ certificate, keys }: Authority, serials: readonly string[]): Promise<string> {
  const list = await x509.X509CrlGenerator.create({
    issuer: certificate.subject,
    thisUpdate: new Date(Date.now() - hour),
    nextUpdate: new Date(Date.now() + hour),
    signingAlgorithm: algorithm,
    signingKey: keys.privateKey,
    entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(Date.now() - hour) })),
    extensions: [await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey)],
  });
  return `${x509.PemConverter.encode(list.rawData, "X509 CRL")}\n`;
}

export async function createLongChain(): Promise<LongChain> {
  const root = await signed("long root", undefined, authority);
  const middle = await signed("long middle", root, authority);
  const leaf = await signed("long client", middle, [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "long-client" }]),
  ]);
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", leaf.keys.privateKey), "PRIVATE KEY");
  return {
    root: pem(root.certificate),
    client: { cert: pem(leaf.certificate) + pem(middle.certificate), key: `${key}\n` },
    lists: async (authorityRevoked) =>
      (await listOf(root, authorityRevoked ? [middle.certificate.serialNumber] : [])) + (await listOf(middle, [])),
  };
}
