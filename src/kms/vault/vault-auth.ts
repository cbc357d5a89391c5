/** A certificate that this process shows to the service, PEM files; read anew when they change. */
export interface VaultClientCertificate {
  readonly cert: string;
  readonly key: string;
}

interface Caller {
  /** For a service that lets nobody near without a certificate, whatever the method of login. */
  readonly client?: VaultClientCertificate | undefined;
}

/** A token that others put into a file, and may replace there. */
export interface VaultTokenAuth extends Caller {
  readonly method: "token";
  readonly tokenFile: string;
}

/** The pod's service account. */
export interface VaultKubernetesAuth extends Caller {
  readonly method: "kubernetes";
  readonly role: string;
  /** Default: where Kubernetes mounts the token for its own API; a projected one with an audience is better. */
  readonly tokenFile?: string | undefined;
  /** Default `kubernetes`. */
  readonly mount?: string | undefined;
}

export interface VaultAppRoleAuth extends Caller {
  readonly method: "approle";
  readonly roleId: string;
  readonly secretIdFile: string;
  /** Default `approle`. */
  readonly mount?: string | undefined;
}

/** The certificate that TLS shows is the login too. */
export interface VaultCertAuth extends VaultClientCertificate {
  readonly method: "cert";
  /** Default: whichever role takes the certificate. */
  readonly role?: string | undefined;
  /** Default `cert`. */
  readonly mount?: string | undefined;
}

/** How the sidecar shows who it is. */
export type VaultAuth = VaultTokenAuth | VaultKubernetesAuth | VaultAppRoleAuth | VaultCertAuth;

/** The certificate to show in TLS, if any. */
export function clientCertificateOf(auth: VaultAuth): VaultClientCertificate | undefined {
  return auth.method === "cert" ? { cert: auth.cert, key: auth.key } : auth.client;
}
