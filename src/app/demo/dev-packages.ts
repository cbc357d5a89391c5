import { createRequire } from "node:module";

import { SealwrightError } from "../../base/sealwright-error.ts";

/**
 * Loads a package that only the demo needs. These are devDependencies, absent from the image and from a production install,
 * so they are required when the demo runs and by a computed name, which keeps them out of the bundle.
 * Throws `demo_failed` when the package is not installed.
 */
export function requireDevPackage(name: string): unknown {
  const load = createRequire(import.meta.url);
  try {
    return load(name);
  } catch (error) {
    throw new SealwrightError("demo_failed", { reason: `${name} is not installed; run npm ci in a checkout` }, error);
  }
}
