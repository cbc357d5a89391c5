import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface KmsCall {
  readonly operation: string;
  readonly keyId: string;
  readonly context: Readonly<Record<string, string>>;
  /** The request as it came: head lines and body. */
  readonly raw: Buffer;
  readonly at: number;
}

/** How one call goes wrong. `answer` edits the good answer before it is sent. */
export type KmsFault =
  | { readonly kind: "error"; readonly status: number; readonly type: string }
  | { readonly kind: "reset" }
  | { readonly kind: "hang" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "answer"; readonly edit: (answer: KmsAnswer) => KmsAnswer };

/** Members of the JSON answer; binary ones in base64, as AWS sends them. */
export type KmsAnswer = Readonly<Record<string, string>>;

export const denied: KmsFault = { kind: "error", status: 400, type: "AccessDeniedException" };
export const internalFailure: KmsFault = { kind: "error", status: 500, type: "KMSInternalException" };

const usualKeyId = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001";

/** One for all stand-ins of a run, so that a keyring made beside one is good beside the next. */
const master = randomBytes(32);

type Parameters = Readonly<Record<string, unknown>>;

/**
 * Stands in for AWS KMS over HTTP: GenerateDataKey, Decrypt, Encrypt, ReEncrypt and DescribeKey of the JSON 1.1 protocol, with the
 * errors that AWS documents for a wrong key or context. It counts calls and remembers contexts, requests and every key it
 * ever gave, so that tests can look for them elsewhere.
 */
export class KmsStandIn {
  readonly calls: KmsCall[] = [];
  /** Plaintext of every data key that left this service: must be found nowhere else. */
  readonly dataKeys: Buffer[] = [];
  /** Asked before each call. */
  fault: (call: KmsCall) => KmsFault | undefined = () => undefined;
  /** ARN of its one key. */
  readonly keyId: string;
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));

  private constructor(keyId: string) {
    this.keyId = keyId;
  }

  static async start(keyId = usualKeyId): Promise<KmsStandIn> {
    const kms = new KmsStandIn(keyId);
    kms.#server.listen(0, "127.0.0.1");
    await once(kms.#server, "listening");
    return kms;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  callsTo(operation: string): readonly KmsCall[] {
    return this.calls.filter((call) => call.operation === operation);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }

  /** What an attacker who may call Encrypt could make: `plaintext` wrapped under `context`. Counted nowhere. */
  wrap(plaintext: Buffer, context: Readonly<Record<string, string>>): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", master, nonce);
    cipher.setAAD(this.#boundTo(context));
    return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  /** The key and the context. Replicas of a multi-region key, which differ by region only, are one key. */
  #boundTo(context: Readonly<Record<string, string>>): Buffer {
    return Buffer.concat([Buffer.from(`${this.keyId.replace(/^.*:key\//u, "")}\n`), contextBytes(context)]);
  }

  #unwrap(blob: Buffer, context: Readonly<Record<string, string>>): Buffer | undefined {
    if (blob.length < 12 + 16) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", master, blob.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(this.#boundTo(context));
    decipher.setAuthTag(blob.subarray(-16));
    try {
      return Buffer.concat([decipher.update(blob.subarray(12, -16)), decipher.final()]);
    } catch {
      return undefined;
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const parameters = JSON.parse(body.toString()) as Parameters;
    const call: KmsCall = {
      operation: String(request.headers["x-amz-target"]).replace("TrentService.", ""),
      keyId: textOf(parameters["KeyId"] ?? parameters["DestinationKeyId"]),
      context: (parameters["EncryptionContext"] ?? parameters["SourceEncryptionContext"] ?? {}) as KmsCall["context"],
      raw: Buffer.concat([Buffer.from(`${request.rawHeaders.join("\n")}\n\n`), body]),
      at: performance.now(),
    };
    this.calls.push(call);
    const fault = this.fault(call);
    if (fault?.kind === "hang") return;
    if (fault?.kind === "delay") await new Promise((settle) => setTimeout(settle, fault.ms));
    const answer = this.#answer(call, parameters);
    if (fault?.kind === "reset") request.socket.destroy();
    else if (fault?.kind === "error") send(response, fault.status, { __type: fault.type });
    else if (typeof answer === "string") send(response, 400, { __type: answer });
    else send(response, 200, fault?.kind === "answer" ? fault.edit(answer) : answer);
  }

  /** The answer, or the type of the error. */
  #answer(call: KmsCall, parameters: Parameters): KmsAnswer | string {
    if (call.keyId !== this.keyId) return call.operation === "Decrypt" ? "IncorrectKeyException" : "NotFoundException";
    switch (call.operation) {
      case "GenerateDataKey": {
        const plaintext = this.#given(randomBytes(32));
        return {
          KeyId: this.keyId,
          Plaintext: plaintext.toString("base64"),
          CiphertextBlob: this.wrap(plaintext, call.context).toString("base64"),
        };
      }
      case "Decrypt": {
        const plaintext = this.#unwrap(Buffer.from(textOf(parameters["CiphertextBlob"]), "base64"), call.context);
        if (plaintext === undefined) return "InvalidCiphertextException";
        return {
          KeyId: this.keyId,
          Plaintext: this.#given(plaintext).toString("base64"),
          EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
        };
      }
      case "Encrypt": {
        const plaintext = this.#given(Buffer.from(textOf(parameters["Plaintext"]), "base64"));
        return {
          KeyId: this.keyId,
          CiphertextBlob: this.wrap(plaintext, call.context).toString("base64"),
          EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
        };
      }
      case "ReEncrypt": {
        if (textOf(parameters["SourceKeyId"]) !== this.keyId) return "IncorrectKeyException";
        const plaintext = this.#unwrap(Buffer.from(textOf(parameters["CiphertextBlob"]), "base64"), call.context);
        if (plaintext === undefined) return "InvalidCiphertextException";
        const destination = parameters["DestinationEncryptionContext"] as KmsCall["context"];
        return {
          KeyId: this.keyId,
          SourceKeyId: this.keyId,
          CiphertextBlob: this.wrap(plaintext, destination).toString("base64"),
          SourceEncryptionAlgorithm: "SYMMETRIC_DEFAULT",
          DestinationEncryptionAlgorithm: "SYMMETRIC_DEFAULT",
        };
      }
      case "DescribeKey":
        return { KeyId: this.keyId };
      default:
        return "UnknownOperationException";
    }
  }

  #given(key: Buffer): Buffer {
    if (!this.dataKeys.some((known) => known.equals(key))) this.dataKeys.push(key);
    return key;
  }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** Members sorted and counted by length, so that no two contexts share bytes. */
const contextBytes = (context: Readonly<Record<string, string>>): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));

function send(response: ServerResponse, status: number, answer: KmsAnswer): void {
  const metadata = answer["KeyId"] !== undefined && Object.keys(answer).length === 1 ? { KeyMetadata: answer } : answer;
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": "stand-in" });
  response.end(JSON.stringify(metadata));
}
