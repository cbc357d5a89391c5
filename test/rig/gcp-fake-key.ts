import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** What the fake answers: a status and a body of proto3 JSON. */
export interface GcpFakeAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

type Message = Readonly<Record<string, unknown>>;

const httpStatus = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  INTERNAL: 500,
  UNKNOWN: 500,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
} as const;

export type RpcStatus = keyof typeof httpStatus;

/** An error as Google's REST services print a google.rpc.Status. */
export function rpcError(status: RpcStatus): GcpFakeAnswer {
  return { status: httpStatus[status], body: { error: { code: httpStatus[status], message: "fake", status } } };
}

/** CRC-32C straight from its definition: most significant bit first, reflected in and out. Shares nothing with the product's. */
export function bitwiseCrc32c(bytes: Uint8Array): number {
  const reflected = (value: number, width: number): number => {
    let out = 0;
    for (let bit = 0; bit < width; bit += 1) if (((value >>> bit) & 1) === 1) out |= 1 << (width - 1 - bit);
    return out >>> 0;
  };
  let register = 0xffffffff;
  for (const byte of bytes) {
    register = (register ^ (reflected(byte, 8) << 24)) >>> 0;
    for (let bit = 0; bit < 8; bit += 1)
      register = ((register & 0x80000000) === 0 ? register << 1 : (register << 1) ^ 0x1edc6f41) >>> 0;
  }
  return (reflected(register, 32) ^ 0xffffffff) >>> 0;
}

const bytesOf = (value: unknown): Buffer => Buffer.from(typeof value === "string" ? value : "", "base64");

/** True where no checksum was sent, as the service has it, or the right one. */
const fits = (value: unknown, checksum: unknown): boolean =>
  checksum === undefined || checksum === String(bitwiseCrc32c(bytesOf(value)));

/** One CryptoKey of purpose ENCRYPT_DECRYPT with its versions; ciphertexts are u32 version | nonce 12 | ciphertext | tag 16. */
export class GcpFakeKey {
  readonly name: string;
  readonly #versions: Buffer[] = [randomBytes(32)];
  state: "enabled" | "disabled" = "enabled";
  protectionLevel = "SOFTWARE";

  constructor(name: string) {
    this.name = name;
  }

  /** A new primary version. */
  rotate(): void {
    this.#versions.push(randomBytes(32));
  }

  answer(verb: string, message: Message): GcpFakeAnswer {
    if (this.state !== "enabled") return rpcError("FAILED_PRECONDITION");
    if (verb === "encrypt") return this.#encrypt(message);
    return verb === "decrypt" ? this.#decrypt(message) : rpcError("NOT_FOUND");
  }

  #encrypt(message: Message): GcpFakeAnswer {
    const { plaintext, plaintextCrc32c, additionalAuthenticatedData, additionalAuthenticatedDataCrc32c } = message;
    if (
      !fits(plaintext, plaintextCrc32c) ||
      !fits(additionalAuthenticatedData, additionalAuthenticatedDataCrc32c) ||
      bytesOf(plaintext).length === 0
    )
      return rpcError("INVALID_ARGUMENT");
    const version = this.#versions.length;
    const head = Buffer.alloc(4);
    head.writeUInt32BE(version);
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#versions.at(-1) ?? Buffer.alloc(32), nonce);
    cipher.setAAD(bytesOf(additionalAuthenticatedData));
    const sealed = [cipher.update(bytesOf(plaintext)), cipher.final()];
    const ciphertext = Buffer.concat([head, nonce, ...sealed, cipher.getAuthTag()]);
    return {
      status: 200,
      body: {
        name: `${this.name}/cryptoKeyVersions/${version}`,
        ciphertext: ciphertext.toString("base64"),
        ciphertextCrc32c: String(bitwiseCrc32c(ciphertext)),
        ...(plaintextCrc32c === undefined ? {} : { verifiedPlaintextCrc32c: true }),
        ...(additionalAuthenticatedDataCrc32c === undefined ? {} : { verifiedAdditionalAuthenticatedDataCrc32c: true }),
        protectionLevel: this.protectionLevel,
      },
    };
  }

  #decrypt(message: Message): GcpFakeAnswer {
    const { ciphertext, ciphertextCrc32c, additionalAuthenticatedData, additionalAuthenticatedDataCrc32c } = message;
    const bytes = bytesOf(ciphertext);
    const version = bytes.length < 32 ? 0 : bytes.readUInt32BE(0);
    const key = this.#versions[version - 1];
    const intact =
      fits(ciphertext, ciphertextCrc32c) && fits(additionalAuthenticatedData, additionalAuthenticatedDataCrc32c);
    if (key === undefined || !intact) return rpcError("INVALID_ARGUMENT");
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(4, 16), { authTagLength: 16 });
    decipher.setAAD(bytesOf(additionalAuthenticatedData));
    decipher.setAuthTag(bytes.subarray(-16));
    try {
      const plaintext = Buffer.concat([decipher.update(bytes.subarray(16, -16)), decipher.final()]);
      return {
        status: 200,
        body: {
          plaintext: plaintext.toString("base64"),
          plaintextCrc32c: String(bitwiseCrc32c(plaintext)),
          ...(version === this.#versions.length ? { usedPrimary: true } : {}),
          protectionLevel: this.protectionLevel,
        },
      };
    } catch {
      return rpcError("INVALID_ARGUMENT");
    }
  }
}
