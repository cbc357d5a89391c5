import type { Clock } from "../../base/clock.ts";
import type { KeyringPlace } from "./change-keyring.ts";

/** A keyring in the hands of a key administrator. */
export interface KeyringOffice extends KeyringPlace {
  /** KEKs that new keys are wrapped under; the first one generates them. */
  readonly keks: readonly string[];
  readonly clock: Pick<Clock, "wallMs">;
}
