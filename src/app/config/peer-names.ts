/** Names of peers as the config writes them: what a certificate's SAN must hold. */

/** `dns:gateway.internal` or a SPIFFE id. No wildcards: an allow-list names who is allowed. */
export const peerNamePattern =
  /^(?:dns:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|spiffe:\/\/[a-z0-9._-]+(?:\/[A-Za-z0-9._-]+)+)$/;

/** SHA-256 of a certificate's public key (SPKI, DER): `sha256/` and 44 characters of base64. */
export const pinPattern = /^sha256\/[A-Za-z0-9+/]{43}=$/;
