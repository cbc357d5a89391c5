import { SealwrightError } from "../../base/sealwright-error.ts";
import { contextBytes, type KmsContext } from "../context.ts";
import { isAllowedEndpoint } from "../endpoint.ts";
import type { GeneratedKey, Kms } from "../kms.ts";
import type { VaultKmsConfig } from "../kms-config.ts";
import type { ProviderPorts } from "../kms-ports.ts";
import type { VaultAuth } from "./vault-auth.ts";
import { VaultBinding } from "./vault-binding.ts";
import { vaultCiphertextOf } from "./vault-ciphertext.ts";
import { VaultClient } from "./vault-client.ts";
import { VaultHttp } from "./vault-http.ts";
import { vaultLogin } from "./vault-login.ts";
import { isVaultKey, isVaultMount, isVaultNamespace, isVaultRole } from "./vault-name.ts";
import { VaultTokens } from "./vault-tokens.ts";
import { readVaultKey, readVaultWrapped } from "./vault-wire.ts";

const keyBytes = 32;
const keyBits = keyBytes * 8;

/**
 * The transit engine of HashiCorp Vault and OpenBao: one derived key. The context is what transit derives the wrapping key
 * from, so a wrap opens under its own context only.
 */
class VaultKms implements Kms {
  readonly canUnwrap = true;
  readonly #client: VaultClient;
  readonly #binding: VaultBinding;

  constructor(client: VaultClient) {
    this.#client = client;
    this.#binding = new VaultBinding(client);
  }

  async generate(context: KmsContext): Promise<GeneratedKey> {
    const answer = await this.#client.ask("datakey/plaintext", { bits: keyBits, context: textOf(context) });
    const plaintext = readVaultKey(answer);
    try {
      const wrapped = readVaultWrapped(answer);
      await this.#binding.prove(wrapped);
      return { plaintext, wrapped };
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  }

  async unwrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    const message = { ciphertext: ciphertextOf(wrapped), context: textOf(context) };
    const plaintext = readVaultKey(await this.#client.ask("decrypt", message));
    try {
      await this.#binding.prove(wrapped);
      return plaintext;
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  }

  async wrap(plaintext: Buffer, context: KmsContext): Promise<Buffer> {
    if (plaintext.length !== keyBytes) throw new SealwrightError("internal", { reason: "key length" });
    // Before anything is sent: `encrypt` makes the key where there is none and the policy lets it; a data key does not.
    if (!this.#binding.isProven) (await this.generate(context)).plaintext.fill(0);
    const message = { context: textOf(context), plaintext: plaintext.toString("base64") };
    return readVaultWrapped(await this.#client.ask("encrypt", message));
  }

  /** By rewrap: the key in clear stays in the service. */
  async rewrap(wrapped: Buffer, context: KmsContext): Promise<Buffer> {
    const message = { ciphertext: ciphertextOf(wrapped), context: textOf(context) };
    const anew = readVaultWrapped(await this.#client.ask("rewrap", message));
    await this.#binding.prove(anew);
    return anew;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/**
 * Throws `config_invalid` (address, names), `file_unreadable` and `key_file` (certificates). Asks nothing of the service yet,
 * and reads no credentials.
 */
export async function openVaultKms(config: VaultKmsConfig, ports: ProviderPorts): Promise<Kms> {
  return new VaultKms(await openVaultClient(config, ports));
}

/** The client alone, for who looks at the key and does not use it. Throws as `openVaultKms`. */
export async function openVaultClient(config: VaultKmsConfig, ports: ProviderPorts): Promise<VaultClient> {
  const reason = flawOf(config);
  if (reason !== undefined) throw new SealwrightError("config_invalid", { reason });
  const http = await VaultHttp.open(config);
  const tokens = new VaultTokens(http, vaultLogin(config.auth, http), ports);
  return new VaultClient(http, tokens, { place: config, clock: ports.clock });
}

function flawOf({ address, mount, key, namespace, auth }: VaultKmsConfig): string | undefined {
  if (!isAllowedEndpoint(address)) return "address is neither https nor on loopback";
  if (auth.method === "cert" && !address.startsWith("https:")) return "a certificate needs https";
  if (!isVaultMount(mount)) return "mount";
  if (!isVaultKey(key)) return "key";
  if (namespace !== undefined && !isVaultNamespace(namespace)) return "namespace";
  return flawOfLogin(auth);
}

function flawOfLogin(auth: VaultAuth): string | undefined {
  if (auth.method === "token") return undefined;
  if (auth.mount !== undefined && !isVaultMount(auth.mount)) return "mount of the auth method";
  const role = auth.method === "approle" ? auth.roleId : auth.role;
  return role === undefined || isVaultRole(role) ? undefined : "role";
}

function textOf(context: KmsContext): string {
  return contextBytes(context).toString("base64");
}

/** What transit cannot have made is not sent. */
function ciphertextOf(wrapped: Buffer): string {
  const ciphertext = vaultCiphertextOf(wrapped);
  if (ciphertext === undefined) throw new SealwrightError("kms_not_mine", { reason: "form" });
  return ciphertext.text;
}
