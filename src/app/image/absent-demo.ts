import { SealwrightError } from "../../base/sealwright-error.ts";

/** Takes the demo's place in the bundle. Always rejects with `demo_failed`. */
export function runDemo(): Promise<number> {
  return Promise.reject(new SealwrightError("demo_failed", { reason: "the demo needs a checkout of the sources" }));
}
