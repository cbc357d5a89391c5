import { SealwrightError } from "../../base/sealwright-error.ts";
import { isAllowedEndpoint } from "../endpoint.ts";
import { contextBytes, type KmsContext } from "../context.ts";
import { gcpAgent, GcpClient } from "./gcp-client.ts";
import { isGcpKeyName, isVersionOf } from "./gcp-key-name.ts";
import { GoogleTokens, type GcpTokens } from "./gcp-tokens.ts";
import { gcpMessage, readDecrypted, readEncrypted } from "./gcp-wire.ts";
import type { GeneratedKey, Kms } from "../kms.ts";
import type { GcpKmsConfig } from "../kms-config.ts";
import type { ProviderPorts } from "../kms-ports.ts";
import { generateHere, rewrapHere } from "../wrapped-here.ts";

const keyBytes = 32;

interface GcpPorts extends Pick<ProviderPorts, "kek" | "log"> {
  readonly tokens?: GcpTokens;
}

/**
 * Google Cloud KMS: one symmetric key. The context is the additional authenticated data. The service makes no data keys, so
 * they come from this process's generator.
 */
class GcpKms implements Kms {
  readonly canUnwrap = true;
  readonly #client: GcpClient;
  readonly #config: GcpKmsConfig;
  readonly #told: ToldProtection;

  constructor(client: GcpClient, config: GcpKmsConfig, ports: Pick<ProviderPorts, "kek" | "log">) {
    this.#client = client;
    this.#config = config;
    this.#told = new ToldProtection(ports);
  }

  generate(context: KmsContext): Promise<GeneratedKey> {
    return generateHere(this, context);
  }

  async unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    const message = gcpMessage("ciphertext", wrapped, contextBytes(context));
    const { plaintext, protectionLevel } = readDecrypted(await this.#client.ask("decrypt", message));
    try {
      this.#checkProtection(protectionLevel);
      if (plaintext.length !== keyBytes) throw broken("key length");
      return plaintext;
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  }

  async wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    if (plaintext.length !== keyBytes) throw new SealwrightError("internal", { reason: "key length" });
    const message = gcpMessage("plaintext", plaintext, contextBytes(context));
    try {
      const answer = readEncrypted(await this.#client.ask("encrypt", message));
      if (!isVersionOf(this.#config.keyName, answer.name)) throw broken("another key answered");
      this.#checkProtection(answer.protectionLevel);
      return answer.ciphertext;
    } finally {
      message.fill(0);
    }
  }

  /** By decrypt and encrypt, which takes the primary version: the service has no call for both. */
  rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    return rewrapHere(this, wrapped, context);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #checkProtection(answered: string | undefined): void {
    const { protectionLevel } = this.#config;
    this.#told.see(answered);
    if (protectionLevel !== undefined && answered !== protectionLevel) throw broken("protection level");
  }
}

/** Says in the log what protects the key, whenever that is news. */
class ToldProtection {
  readonly #ports: Pick<ProviderPorts, "kek" | "log">;
  #last: string | undefined;

  constructor(ports: Pick<ProviderPorts, "kek" | "log">) {
    this.#ports = ports;
  }

  see(level: string | undefined): void {
    if (level === undefined || level === this.#last) return;
    this.#last = level;
    this.#ports.log.info("kms_protection_level", { kek: this.#ports.kek, provider: "gcp", reason: level });
  }
}

/**
 * Throws `config_invalid` (key name, endpoint), `file_unreadable` (ca). Asks nothing of the service yet.
 * `ports.tokens`, of which the KMS takes charge, stands in for Application Default Credentials.
 */
export async function openGcpKms(config: GcpKmsConfig, ports: GcpPorts): Promise<Kms> {
  if (!isGcpKeyName(config.keyName)) throw new SealwrightError("config_invalid", { reason: "no name of a key" });
  if (config.endpoint !== undefined && !isAllowedEndpoint(config.endpoint))
    throw new SealwrightError("config_invalid", { reason: "endpoint is neither https nor on loopback" });
  const agent = await gcpAgent(config);
  return new GcpKms(new GcpClient(agent, ports.tokens ?? (await GoogleTokens.open()), config), config, ports);
}

function broken(reason: string): SealwrightError {
  return new SealwrightError("kms_broken", { reason });
}
