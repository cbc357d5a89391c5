import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  ReEncryptCommand,
  type KMSClient,
} from "@aws-sdk/client-kms";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { awsClient } from "./aws-client.ts";
import { isAllowedEndpoint } from "../endpoint.ts";
import { awsError } from "./aws-error.ts";
import { isAnsweredBy, parseAwsKeyId, type AwsKey } from "./aws-key-id.ts";
import type { KmsContext } from "../context.ts";
import type { GeneratedKey, Kms } from "../kms.ts";
import type { AwsKmsConfig } from "../kms-config.ts";
import { ownedCopy } from "../owned-bytes.ts";

const keyBytes = 32;
const algorithm = "SYMMETRIC_DEFAULT";

/** AWS KMS: one symmetric key. The context is its EncryptionContext, which it authenticates and writes to CloudTrail. */
class AwsKms implements Kms {
  readonly canUnwrap = true;
  readonly #client: KMSClient;
  readonly #keyId: string;
  readonly #key: AwsKey;

  constructor(client: KMSClient, keyId: string, key: AwsKey) {
    this.#client = client;
    this.#keyId = keyId;
    this.#key = key;
  }

  async generate(context: KmsContext): Promise<GeneratedKey> {
    const command = new GenerateDataKeyCommand({ ...this.#named(context), KeySpec: "AES_256" });
    const answer = await this.#client.send(command).catch((error: unknown) => {
      throw awsError(error, "generate");
    });
    const plaintext = takenPlaintext(answer.Plaintext);
    try {
      this.#check(answer.KeyId, algorithm);
      return { plaintext, wrapped: wrappedOf(answer.CiphertextBlob) };
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  }

  async unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    const command = new DecryptCommand({
      ...this.#named(context),
      CiphertextBlob: wrapped,
      EncryptionAlgorithm: algorithm,
    });
    const answer = await this.#client.send(command).catch((error: unknown) => {
      throw awsError(error, "unwrap");
    });
    const plaintext = takenPlaintext(answer.Plaintext);
    try {
      this.#check(answer.KeyId, answer.EncryptionAlgorithm);
      return plaintext;
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  }

  async wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    const command = new EncryptCommand({
      ...this.#named(context),
      Plaintext: plaintext,
      EncryptionAlgorithm: algorithm,
    });
    const answer = await this.#client.send(command).catch((error: unknown) => {
      throw awsError(error, "wrap");
    });
    this.#check(answer.KeyId, answer.EncryptionAlgorithm);
    return wrappedOf(answer.CiphertextBlob);
  }

  /** By ReEncrypt: the key in clear stays in the service. */
  async rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    const { KeyId, EncryptionContext } = this.#named(context);
    const command = new ReEncryptCommand({
      CiphertextBlob: wrapped,
      SourceKeyId: KeyId,
      SourceEncryptionContext: EncryptionContext,
      SourceEncryptionAlgorithm: algorithm,
      DestinationKeyId: KeyId,
      DestinationEncryptionContext: EncryptionContext,
      DestinationEncryptionAlgorithm: algorithm,
    });
    const answer = await this.#client.send(command).catch((error: unknown) => {
      throw awsError(error, "rewrap");
    });
    this.#check(answer.SourceKeyId, answer.SourceEncryptionAlgorithm);
    this.#check(answer.KeyId, answer.DestinationEncryptionAlgorithm);
    return wrappedOf(answer.CiphertextBlob);
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }

  #named(context: KmsContext): { KeyId: string; EncryptionContext: Record<string, string> } {
    return { KeyId: this.#keyId, EncryptionContext: { ...context } };
  }

  #check(keyId: unknown, usedAlgorithm: unknown): void {
    if (!isAnsweredBy(this.#key, keyId)) throw broken("another key answered");
    if (usedAlgorithm !== algorithm && usedAlgorithm !== undefined) throw broken("algorithm");
  }
}

/** Throws `config_invalid` (key id, region, endpoint), `file_unreadable` (ca). Asks nothing of the service yet. */
export async function openAwsKms(config: AwsKmsConfig): Promise<Kms> {
  // A part of the public endpoint's host name.
  if (!/^[a-z0-9-]{1,63}$/.test(config.region)) throw new SealwrightError("config_invalid", { reason: "region" });
  const key = parseAwsKeyId(config.keyId, config.region);
  if (key === undefined) throw new SealwrightError("config_invalid", { reason: "no key ARN or key id of the region" });
  if (config.endpoint !== undefined && !isAllowedEndpoint(config.endpoint))
    throw new SealwrightError("config_invalid", { reason: "endpoint is neither https nor on loopback" });
  if (config.endpoint !== undefined && (config.fips === true || config.dualStack === true))
    throw new SealwrightError("config_invalid", { reason: "fips and dualStack choose among public endpoints" });
  return new AwsKms(await awsClient(config), config.keyId, key);
}

/** Moves the key out of the SDK's buffer, which is zeroed. What the SDK kept as text on the way is beyond reach. */
function takenPlaintext(bytes: unknown): Buffer {
  if (!(bytes instanceof Uint8Array)) throw broken("no key in the answer");
  const key = ownedCopy(bytes);
  bytes.fill(0);
  if (key.length === keyBytes) return key;
  key.fill(0);
  throw broken("key length");
}

function wrappedOf(bytes: unknown): Buffer {
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw broken("no wrapped key in the answer");
  return Buffer.from(bytes);
}

function broken(reason: string): SealwrightError {
  return new SealwrightError("kms_broken", { reason });
}
