import { createHmac } from "node:crypto";
import { fromBase64url, toBase64url } from "../../base/bytes.ts";
import { canonicalJson } from "../../base/canonical-json.ts";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { equalBytes } from "../../crypto/constant-time.ts";
import { deriveKey, keyIdOf } from "../../crypto/key-derivation.ts";
import type { ErasureReceipt, ReceiptContent } from "../life-cycle/erasure-receipt.ts";
import type { KeyringFile } from "./keyring-file.ts";

const macLabel = "sealwright/v1 keyring";
const receiptLabel = "sealwright/v1 erasure receipt";

/**
 * Authenticates keyring files under the keyring's root, and receipts of destroyed keys under a label of their own:
 *
 *     mac = base64url(HMAC-SHA-256(HKDF(root, "sealwright/v1 keyring", 32), RFC 8785 bytes of the file without `mac`))
 *     mac = base64url(HMAC-SHA-256(HKDF(root, "sealwright/v1 erasure receipt", 32), RFC 8785 bytes of the receipt without `mac`))
 */
export class KeyringMac {
  /** The root's id, 64 hex digits. */
  readonly rootId: string;
  readonly #key: Buffer;
  readonly #receiptKey: Buffer;
  #ended = false;

  /** Takes the 32 bytes of `root` over and zeroes them: only what is derived from them stays. */
  constructor(root: Buffer) {
    this.rootId = keyIdOf(root).toString("hex");
    this.#key = deriveKey(root, macLabel, 32);
    this.#receiptKey = deriveKey(root, receiptLabel, 32);
    root.fill(0);
  }

  /** `content` with its code. */
  sign(content: Omit<KeyringFile, "mac">): KeyringFile {
    return { ...content, mac: toBase64url(this.#codeOf(this.#key, content)) };
  }

  /** Throws `keyring_forged`. */
  verify(file: KeyringFile): void {
    const { mac, ...content } = file;
    const given = fromBase64url(mac);
    if (given !== undefined && file.root.id === this.rootId && equalBytes(given, this.#codeOf(this.#key, content)))
      return;
    throw new SealwrightError("keyring_forged");
  }

  signReceipt(content: ReceiptContent): ErasureReceipt {
    return { ...content, mac: toBase64url(this.#codeOf(this.#receiptKey, content)) };
  }

  /** True when this keyring's root has signed the receipt. */
  hasSigned({ mac, ...content }: ErasureReceipt): boolean {
    const given = fromBase64url(mac);
    if (given === undefined || content.rootId !== this.rootId) return false;
    return equalBytes(given, this.#codeOf(this.#receiptKey, content));
  }

  /** Zeroes the keys; from now on every other method throws `internal`, as anybody could write a code under zeroes. */
  end(): void {
    this.#ended = true;
    this.#key.fill(0);
    this.#receiptKey.fill(0);
  }

  #codeOf(key: Buffer, content: object): Buffer {
    if (this.#ended) throw new SealwrightError("internal", { reason: "keyring MAC after its end" });
    return createHmac("sha256", key).update(canonicalJson(content), "utf8").digest();
  }
}
