import type Binding from "pkcs11js";
import { SealwrightError } from "../../base/sealwright-error.ts";

/** The package that speaks PKCS #11: classes and the standard's numbers. */
export type Pkcs11Binding = typeof Binding;

/**
 * Loads the package, an optional dependency: where it is not installed, or not built for this platform, only this provider does
 * not work. Throws `kms_module`.
 */
export async function loadPkcs11Binding(): Promise<Pkcs11Binding> {
  try {
    return (await import("pkcs11js")).default;
  } catch (error) {
    throw new SealwrightError("kms_module", { reason: "the optional package pkcs11js is not installed here" }, error);
  }
}
