import { createHmac } from "node:crypto";
import { fromBase64url, toBase64url } from "../base/bytes.ts";
import { canonicalJson } from "../base/canonical-json.ts";
import { SealwrightError } from "../base/sealwright-error.ts";
import { equalBytes } from "../crypto/constant-time.ts";
import { deriveKey, keyIdOf } from "../crypto/key-derivation.ts";
import type { KeyringFile } from "./keyring-file.ts";

const macLabel = "sealwright/v1 keyring";

/**
 * Authenticates keyring files under the keyring's root:
 *
 *     mac = base64url(HMAC-SHA-256(HKDF(root, "sealwright/v1 keyring", 32), RFC 8785 bytes of the file without `mac`))
 */
export class KeyringMac {
  /** The root's id, 64 hex digits. */
  readonly rootId: string;
  readonly #key: Buffer;
  #ended = false;

  /** Takes the 32 bytes of `root` over and zeroes them: only what is derived from them stays. */
  constructor(root: Buffer) {
    this.rootId = keyIdOf(root).toString("hex");
    this.#key = deriveKey(root, macLabel, 32);
    root.fill(0);
  }

  /** `content` with its code. */
  sign(content: Omit<KeyringFile, "mac">): KeyringFile {
    return { ...content, mac: toBase64url(this.#codeOf(content)) };
  }

  /** Throws `keyring_forged`. */
  verify(file: KeyringFile): void {
    const { mac, ...content } = file;
    const given = fromBase64url(mac);
    if (given !== undefined && file.root.id === this.rootId && equalBytes(given, this.#codeOf(content))) return;
    throw new SealwrightError("keyring_forged");
  }

  /** Zeroes the key; from now on `sign` and `verify` throw `internal`, as anybody could write a code under zeroes. */
  end(): void {
    this.#ended = true;
    this.#key.fill(0);
  }

  #codeOf(content: Omit<KeyringFile, "mac">): Buffer {
    if (this.#ended) throw new SealwrightError("internal", { reason: "keyring MAC after its end" });
    return createHmac("sha256", this.#key).update(canonicalJson(content), "utf8").digest();
  }
}
