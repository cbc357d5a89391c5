import type { KmsRate } from "./decorators/pace.ts";
import type { VaultAuth } from "./vault/vault-auth.ts";

/** One KEK as the configuration names it. The name is local and permanent: it stands in every inline value. */
export type KmsConfig =
  LocalKmsConfig | RecoveryKmsConfig | Pkcs11KmsConfig | AwsKmsConfig | VaultKmsConfig | GcpKmsConfig;

/** How patient the sidecar is with a key service. Absent members take `defaultPatience`. */
export interface KmsPatience {
  /** One attempt, milliseconds. */
  readonly attemptMs: number;
  /** Attempts of one call, the first included. */
  readonly attempts: number;
  /** One call with all its attempts and pauses, milliseconds. */
  readonly callMs: number;
  /** How long calls fail at once after a call found the service out of reach: doubles from the first to the second, milliseconds. */
  readonly backOffMs: number;
  readonly longestBackOffMs: number;
  /** How many calls are made: this many at once, and per second in the long run. */
  readonly rate: KmsRate;
}

export const defaultPatience: KmsPatience = Object.freeze({
  attemptMs: 2000,
  attempts: 3,
  callMs: 5000,
  backOffMs: 250,
  longestBackOffMs: 15_000,
  rate: Object.freeze({ perSecond: 100, burst: 50 }),
});

interface Patient {
  readonly patience?: Partial<KmsPatience> | undefined;
}

/** A key file on this machine: development and demonstrations only. */
export interface LocalKmsConfig extends Patient {
  readonly provider: "local";
  /** Path, absolute or relative to the working folder. */
  readonly keyFile: string;
}

export interface AwsKmsConfig extends Patient {
  readonly provider: "aws";
  /** A key ARN or a bare key id. Aliases are refused: see aws-key-id.ts. */
  readonly keyId: string;
  readonly region: string;
  /** The region's endpoint whose cryptography is validated under FIPS 140; not together with `endpoint`. */
  readonly fips?: boolean | undefined;
  /** The region's endpoint that is reached over IPv6 too; not together with `endpoint`. */
  readonly dualStack?: boolean | undefined;
  /** A private endpoint: an https URL, or plain http on a loopback address. */
  readonly endpoint?: string | undefined;
  /** PEM file of the authorities that `endpoint` is checked against, in place of the system's. */
  readonly ca?: string | undefined;
  /** Default TLSv1.3; TLSv1.2 only for an endpoint that cannot speak it. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
}

/** The transit engine of HashiCorp Vault or OpenBao. */
export interface VaultKmsConfig extends Patient {
  readonly provider: "vault";
  /** An https URL, or plain http on a loopback address. */
  readonly address: string;
  /** Where transit is mounted. */
  readonly mount: string;
  /** Name of a key that was made with `derived=true`. */
  readonly key: string;
  readonly namespace?: string | undefined;
  readonly auth: VaultAuth;
  /** PEM file of the authorities that `address` is checked against, in place of the system's. */
  readonly ca?: string | undefined;
  /** Default TLSv1.3; TLSv1.2 only for a service that cannot speak it. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
}

export interface GcpKmsConfig extends Patient {
  readonly provider: "gcp";
  /** `projects/ID/locations/L/keyRings/R/cryptoKeys/K`, without a version. */
  readonly keyName: string;
  /** What every answer must say protects the key; absent = whatever it says. */
  readonly protectionLevel?: GcpProtectionLevel | undefined;
  /** A private or regional endpoint: an https URL, or plain http on a loopback address. */
  readonly endpoint?: string | undefined;
  /** PEM file of the authorities that `endpoint` is checked against, in place of the system's. */
  readonly ca?: string | undefined;
}

/** Where Cloud KMS keeps a key, in its own words. */
export const gcpProtectionLevels = ["SOFTWARE", "HSM", "HSM_SINGLE_TENANT", "EXTERNAL", "EXTERNAL_VPC"] as const;

export type GcpProtectionLevel = (typeof gcpProtectionLevels)[number];

/** An HSM, or what speaks PKCS #11 like one. */
export interface Pkcs11KmsConfig extends Patient {
  readonly provider: "pkcs11";
  /** Path of the vendor's library. */
  readonly module: string;
  /** Label of the token. */
  readonly token: string;
  /** Label of the one AES-256 key that may not leave the token. */
  readonly key: string;
  /** The user's PIN, alone in a file. */
  readonly pinFile: string;
  /** Default `aes-gcm`. Permanent: what one mechanism wrapped the other does not unwrap. */
  readonly mechanism?: Pkcs11Mechanism | undefined;
  /** Calls under way at most, each on a session of its own. */
  readonly sessions?: number | undefined;
}

/** Each call under way holds one of the process's IO threads, of which there are four: files and names need some too. */
export const defaultPkcs11Sessions = 2;

export const pkcs11Mechanisms = ["aes-gcm", "aes-key-wrap"] as const;

export type Pkcs11Mechanism = (typeof pkcs11Mechanisms)[number];

/** A key of which the secret half lies in a safe. */
export interface RecoveryKmsConfig extends Patient {
  readonly provider: "recovery";
  /** The public half: `swr-recovery-1...` */
  readonly recipient: string;
  /** Break glass: the secret half, where data keys are to be unwrapped by it. */
  readonly secretFile?: string | undefined;
}
