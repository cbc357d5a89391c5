import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { freePorts } from "../../../src/app/demo/free-ports.ts";
import { ServerProcess } from "./server-process.ts";

export interface MotoUser {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const region = "eu-west-1";

/** A moto server, which plays AWS: KMS, and IAM for who may do what. Its program: `moto_server`, or SEALWRIGHT_MOTO. */
export class Moto implements AsyncDisposable {
  readonly endpoint: string;
  readonly #server: ServerProcess;

  private constructor(endpoint: string, server: ServerProcess) {
    this.endpoint = endpoint;
    this.#server = server;
  }

  /** With `tls`, PEM files of a certificate for 127.0.0.1 and its key, it speaks https only. */
  static async start(tls?: { readonly cert: string; readonly key: string }): Promise<Moto> {
    const [port = 0] = await freePorts(1);
    const server = await ServerProcess.start({
      program: process.env["SEALWRIGHT_MOTO"] ?? "moto_server",
      args: [
        "-H",
        "127.0.0.1",
        "-p",
        String(port),
        ...(tls === undefined ? [] : ["-s", "-c", tls.cert, "-k", tls.key]),
      ],
      port,
    });
    return new Moto(`${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`, server);
  }

  /** ARN of a new symmetric key. */
  async createKey(): Promise<string> {
    const client = this.#administrator();
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    client.destroy();
    return KeyMetadata?.Arn ?? "";
  }

  /** A new user with access keys, allowed `actions`. On any key: moto does not look at which one. */
  async createUser(name: string, actions: readonly string[]): Promise<MotoUser> {
    const statement = { Effect: "Allow", Action: actions, Resource: "*" };
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await this.#iam({ Action: "CreateUser", UserName: name });
    if (actions.length > 0)
      await this.#iam({ Action: "PutUserPolicy", UserName: name, PolicyName: "p", PolicyDocument: policy });
    const answer = await this.#iam({ Action: "CreateAccessKey", UserName: name });
    return { accessKeyId: textIn(answer, "AccessKeyId"), secretAccessKey: textIn(answer, "SecretAccessKey") };
  }

  /** A user's access key is deleted: whoever signs with it is denied. */
  async deleteAccessKey(name: string, accessKeyId: string): Promise<void> {
    await this.#unenforced(() => this.#iam({ Action: "DeleteAccessKey", UserName: name, AccessKeyId: accessKeyId }));
  }

  /** From now on signatures are checked and policies count; until then moto lets everybody do everything. */
  async enforceAccess(): Promise<void> {
    await this.#enforceAfter(0);
  }

  async #unenforced<T>(work: () => Promise<T>): Promise<T> {
    await this.#enforceAfter(1_000_000);
    try {
      return await work();
    } finally {
      await this.#enforceAfter(0);
    }
  }

  async #enforceAfter(calls: number): Promise<void> {
    const headers = { "content-type": "application/octet-stream" };
    await fetch(`${this.endpoint}/moto-api/reset-auth`, { method: "POST", headers, body: String(calls) });
  }

  #administrator(): KMSClient {
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    return new KMSClient({ region, endpoint: this.endpoint, credentials });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }

  async #iam(parameters: Readonly<Record<string, string>>): Promise<string> {
    const scope = "Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=none";
    const answer = await fetch(this.endpoint, {
      method: "POST",
      headers: { authorization: `AWS4-HMAC-SHA256 ${scope}` },
      body: new URLSearchParams({ ...parameters, Version: "2010-05-08" }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`moto refused ${parameters["Action"] ?? ""}: ${text}`);
    return text;
  }
}

function textIn(xml: string, element: string): string {
  return new RegExp(`<${element}>([^<]+)</${element}>`).exec(xml)?.[1] ?? "";
}
