import type { KmsConfig } from "../../src/kms/kms-config.ts";
import type { FaultFront, FrontAnswer } from "./fault-front.ts";

/** A key service with what the conformance suite needs of it. */
export interface KmsStage extends AsyncDisposable {
  /** The KEK that is tried. With a `front`, its endpoint is the front's. */
  readonly kek: KmsConfig;
  /** The KEK by a configuration that lets TLS 1.2 pass, where there is such a setting. */
  readonly lenientKek?: KmsConfig | undefined;
  /** Another KEK of the same service. */
  readonly otherKek: KmsConfig;
  /** Makes a new version of the KEK, the newest from then on. */
  readonly rotate?: (() => Promise<void>) | undefined;
  /** Stands before the service where it is reached over a network. */
  readonly front?: FaultFront | undefined;
  /**
   * The credentials that are used now end within a second or have ended, and the next are ready where the provider looks for
   * them. Calls go on without a failure.
   */
  readonly renewCredentials?: (() => Promise<void>) | undefined;
  /** Texts that no error may hold: tokens, secrets, passwords, PINs. */
  readonly secrets: readonly string[];
}

/** Names of the cases, in the order of the matrix. */
export const kmsCases = [
  "round trip",
  "rewrap",
  "rewrap to a new version",
  "context bound",
  "contexts that join to one text",
  "another key",
  "tampered",
  "cut, empty, far too long",
  "throttled, then answered",
  "5 s slow",
  "hang",
  "reset mid-answer",
  "garbage",
  "wrong certificate, nothing sent",
  "TLS 1.2 only",
  "credentials renewed mid-run",
  "50 at once",
  "closed",
  "keys are owned buffers",
  "errors tell no secret",
] as const;

export type KmsCase = (typeof kmsCases)[number];

/** What is known of a provider before it is tried. */
export interface KmsTraits {
  /** How the service says "not now", each as it stands in its documentation. */
  readonly throttled?: readonly FrontAnswer[];
  /** Cases that cannot be tried here, each with the reason. */
  readonly notApplicable?: Partial<Record<KmsCase, string>>;
  /** Runs only cases that take no time of their own. */
  readonly quick?: boolean;
  /** Codes besides `kms_not_mine` that stand-ins of a service give where it is the bytes or the key that is wrong. */
  readonly alsoRefusedBy?: readonly string[];
}
