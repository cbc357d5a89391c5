/**
 * What transit wraps to, as text: `vault:v<key version>:<base64>`. The base64 is canonical, so that one wrap has one spelling.
 * The wrapped bytes of the port are this text in ASCII.
 */
export interface VaultCiphertext {
  readonly text: string;
  readonly keyVersion: number;
}

const form = /^vault:v([1-9][0-9]{0,8}):([A-Za-z0-9+/]+={0,2})$/;
/** A wrapped 32-byte key has 60 to 72 bytes; with room for what future key types add. */
const longest = 1024;

/** `undefined` for what transit cannot have made. */
export function parseVaultCiphertext(text: string): VaultCiphertext | undefined {
  if (text.length > longest) return undefined;
  const [, version, base64] = form.exec(text) ?? [];
  if (version === undefined || base64 === undefined) return undefined;
  if (Buffer.from(base64, "base64").toString("base64") !== base64) return undefined;
  return { text, keyVersion: Number(version) };
}

/** The text that `wrapped` holds; `undefined` where transit cannot have made it. */
export function vaultCiphertextOf(wrapped: Buffer): VaultCiphertext | undefined {
  // latin1 keeps bytes beyond ASCII apart from each other; the form then refuses them.
  return wrapped.length > longest ? undefined : parseVaultCiphertext(wrapped.toString("latin1"));
}
