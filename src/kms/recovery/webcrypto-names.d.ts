import type { webcrypto } from "node:crypto";

// @hpke/core names its Web Crypto types as browsers do; Node has the same types inside node:crypto.
declare global {
  type HmacKeyGenParams = webcrypto.HmacKeyGenParams;
  type JsonWebKey = webcrypto.JsonWebKey;
  type KeyAlgorithm = webcrypto.KeyAlgorithm;
}
