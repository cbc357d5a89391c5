import { SealwrightError } from "../base/sealwright-error.ts";
import type { LiveKeys } from "../keys/keys.ts";

const refuse = (): never => {
  throw new SealwrightError("no_key", { reason: "no keys configured" });
};

/** The keys of a sidecar without field maps: nothing ever asks for one. */
export const noKeys: LiveKeys = Object.freeze({ sealer: refuse, opener: refuse, snapshot: () => noKeys });
