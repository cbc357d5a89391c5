import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import type { RecoveryPair } from "./recovery-key.ts";

const info = Buffer.from("sealwright/v1 recovery", "utf8");

/** A message to a public key. */
export interface HpkeMessage {
  /** The sender's ephemeral public key, 32 bytes. */
  readonly enc: Buffer;
  /** As long as the plaintext, and the tag of 16 bytes. */
  readonly ciphertext: Buffer;
}

/** A pair as the library holds it. */
export interface RecoveryKeys {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

/**
 * HPKE (RFC 9180), base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Every message has a key of its own, so
 * that no nonce can meet another.
 */
export class RecoverySuite {
  readonly #suite = new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  });

  async newPair(): Promise<RecoveryPair> {
    const { kem } = this.#suite;
    const { publicKey, privateKey } = await kem.generateKeyPair();
    return {
      publicKey: Buffer.from(await kem.serializePublicKey(publicKey)),
      secret: Buffer.from(await kem.serializePrivateKey(privateKey)),
    };
  }

  /** Leaves the bytes as they are. Rejects with the library's error for what is no key. */
  async keys({ publicKey, secret }: RecoveryPair): Promise<RecoveryKeys> {
    return {
      publicKey: await this.publicKey(publicKey),
      privateKey: await this.#suite.kem.deserializePrivateKey(secret),
    };
  }

  /** Leaves the bytes as they are. Rejects with the library's error for what is no key. */
  publicKey(publicKey: Buffer): Promise<CryptoKey> {
    return this.#suite.kem.deserializePublicKey(publicKey);
  }

  /** Rejects with the library's error, for a public key of small order too (RFC 9180 section 7.1.4). */
  async seal(publicKey: CryptoKey, plaintext: Buffer, aad: Buffer): Promise<HpkeMessage> {
    const { enc, ct } = await this.#suite.seal({ recipientPublicKey: publicKey, info }, plaintext, aad);
    return { enc: Buffer.from(enc), ciphertext: Buffer.from(ct) };
  }

  /** Rejects with the library's error for what was not sealed to this key under this `aad`. */
  async open(recipientKey: RecoveryKeys, { enc, ciphertext }: HpkeMessage, aad: Buffer): Promise<Buffer> {
    return Buffer.from(await this.#suite.open({ recipientKey, enc, info }, ciphertext, aad));
  }
}
