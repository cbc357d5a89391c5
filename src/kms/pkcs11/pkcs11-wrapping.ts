import type { Handle } from "pkcs11js";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { contextBytes, type KmsContext } from "../context.ts";
import { contextDigest, endsWithDigest } from "./context-digest.ts";
import type { Pkcs11Mechanism } from "../kms-config.ts";
import { ownedCopy } from "../owned-bytes.ts";
import type { Pkcs11Session } from "./pkcs11-token.ts";
import { randomKey } from "../random-key.ts";

const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;
const digestBytes = 32;
/** AES key wrap adds one block of 8 bytes (RFC 3394). */
const keyWrapBytes = 8;

/** One way to wrap a data key under a key that never leaves the token. */
export interface Pkcs11Wrapping {
  /** True when `wrapped` has the form of this wrapping. */
  readonly owns: (wrapped: Buffer) => boolean;
  /** Takes `plaintext` over and zeroes it. Throws `kms_broken`, and the library's own errors. */
  readonly wrap: (session: Pkcs11Session, plaintext: Buffer, context: KmsContext) => Promise<Buffer>;
  /** Throws `kms_broken`, `kms_not_mine`, and the library's own errors. */
  readonly unwrap: (session: Pkcs11Session, wrapped: Buffer, context: KmsContext) => Promise<Buffer>;
}

/**
 *     wrapped = version u8 (1) | iv 12 | ciphertext 32 | tag 16        CKM_AES_GCM, AAD = contextBytes(context)
 *
 * Random 96-bit IVs: at most 2^32 wraps under one KEK, by all sidecars together.
 */
const aesGcm: Pkcs11Wrapping = {
  owns: (wrapped) => wrapped[0] === 1 && wrapped.length === 1 + ivBytes + keyBytes + tagBytes,
  wrap: async (session, plaintext, context) => {
    const { library, handle, key } = session;
    const iv = randomKey().subarray(0, ivBytes);
    const output = Buffer.alloc(2 * (keyBytes + tagBytes));
    try {
      library.pkcs11.C_EncryptInit(handle, gcm(session, iv, context), key);
      const sealed = await library.pkcs11.C_EncryptAsync(handle, plaintext, output);
      if (sealed.length !== keyBytes + tagBytes) throw broken();
      return Buffer.concat([Buffer.from([1]), iv, sealed]);
    } finally {
      // Held until here: the library reads and writes them from another thread.
      for (const bytes of [plaintext, output]) bytes.fill(0);
    }
  },
  unwrap: async (session, wrapped, context) => {
    const { library, handle, key } = session;
    const input = ownedCopy(wrapped.subarray(1 + ivBytes));
    const output = Buffer.alloc(2 * (keyBytes + tagBytes));
    try {
      library.pkcs11.C_DecryptInit(handle, gcm(session, wrapped.subarray(1, 1 + ivBytes), context), key);
      const plaintext = await library.pkcs11.C_DecryptAsync(handle, input, output);
      if (plaintext.length !== keyBytes) throw broken();
      return ownedCopy(plaintext);
    } finally {
      for (const bytes of [input, output]) bytes.fill(0);
    }
  },
};

/**
 *     wrapped = version u8 (2) | 72 bytes        CKM_AES_KEY_WRAP of DEK 32 | SHA-256(contextBytes(context)) 32
 *
 * For tokens without GCM, or whose GCM makes its own IV. Deterministic: the same key wraps to the same bytes.
 */
const aesKeyWrap: Pkcs11Wrapping = {
  owns: (wrapped) => wrapped[0] === 2 && wrapped.length === 1 + keyWrapBytes + keyBytes + digestBytes,
  wrap: async (session, plaintext, context) => {
    const { library, handle, key } = session;
    const { binding, pkcs11 } = library;
    const value = Buffer.concat([plaintext, contextDigest(context)]);
    const output = Buffer.alloc(2 * value.length);
    try {
      const object = pkcs11.C_CreateObject(handle, [...passing(session), { type: binding.CKA_VALUE, value }]);
      return await spending(session, object, async () => {
        const sealed = await pkcs11.C_WrapKeyAsync(handle, keyWrap(session), key, object, output);
        if (sealed.length !== value.length + keyWrapBytes) throw broken();
        return Buffer.concat([Buffer.from([2]), sealed]);
      });
    } finally {
      for (const bytes of [plaintext, value, output]) bytes.fill(0);
    }
  },
  unwrap: async (session, wrapped, context) => {
    const { library, handle, key } = session;
    const { binding, pkcs11 } = library;
    const input = ownedCopy(wrapped.subarray(1));
    const object = await pkcs11.C_UnwrapKeyAsync(handle, keyWrap(session), key, input, passing(session));
    const value = await spending(session, object, () => {
      const [attribute] = pkcs11.C_GetAttributeValue(handle, object, [{ type: binding.CKA_VALUE }]);
      return Promise.resolve(attribute?.value);
    });
    input.fill(0);
    if (!Buffer.isBuffer(value) || value.length !== keyBytes + digestBytes) throw broken();
    try {
      if (!endsWithDigest(value, context)) throw new SealwrightError("kms_not_mine", { reason: "context" });
      return ownedCopy(value.subarray(0, keyBytes));
    } finally {
      value.fill(0);
    }
  },
};

export const pkcs11Wrappings: Readonly<Record<Pkcs11Mechanism, Pkcs11Wrapping>> = Object.freeze({
  "aes-gcm": aesGcm,
  "aes-key-wrap": aesKeyWrap,
});

function gcm({ library: { binding } }: Pkcs11Session, iv: Buffer, context: KmsContext) {
  const parameter = { type: binding.CK_PARAMS_AES_GCM, iv, aad: contextBytes(context), ivBits: 96, tagBits: 128 };
  return { mechanism: binding.CKM_AES_GCM, parameter };
}

function keyWrap({ library: { binding } }: Pkcs11Session) {
  return { mechanism: binding.CKM_AES_KEY_WRAP };
}

/** A key object that lives as long as one call: what is wrapped has to be one, and what is unwrapped becomes one. */
function passing({ library: { binding } }: Pkcs11Session) {
  return [
    { type: binding.CKA_CLASS, value: binding.CKO_SECRET_KEY },
    { type: binding.CKA_KEY_TYPE, value: binding.CKK_GENERIC_SECRET },
    { type: binding.CKA_TOKEN, value: false },
    { type: binding.CKA_SENSITIVE, value: false },
    { type: binding.CKA_EXTRACTABLE, value: true },
  ];
}

async function spending<T>({ library, handle }: Pkcs11Session, object: Handle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    library.pkcs11.C_DestroyObject(handle, object);
  }
}

function broken(): SealwrightError {
  return new SealwrightError("kms_broken", { reason: "length of the answer" });
}
