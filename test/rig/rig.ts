import { rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { freePorts } from "../../src/app/demo/free-ports.ts";
import { KmsStandIn } from "./kms-stand-in.ts";
import { shareKeyring } from "./keyring-setup.ts";
import { exchange, requestBytes, type PlainRequest, type RawExchange, type RawOutcome } from "./raw-client.ts";
import {
  makeSidecarFolder,
  sidecarFile,
  type Form,
  type SidecarFolder,
  type SidecarSettings,
} from "./sidecar-files.ts";
import { Sidecar } from "./sidecar.ts";
import { StallProbe } from "./stall-probe.ts";
import { RecordingUpstream } from "./upstream.ts";

export interface RigOptions extends Partial<Pick<SidecarSettings, "keys" | "listener">> {
  readonly form: Form;
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What the sidecar must say before the rig is given out. */
  readonly until?: "/readyz" | "/livez";
  /** Called when everything but the sidecar is there. */
  readonly beforeStart?: (parts: { readonly kms: KmsStandIn; readonly folder: string }) => void | Promise<void>;
}

/**
 * Every secret of the rig holds these digits, so that to look for them is to look for all: canaries, tokens, cookies, query
 * strings and tenants.
 */
export const secretDigits = "078051120";

export const t1 = `t1-${secretDigits}`;
export const t2 = `t2-${secretDigits}`;

/** What every client sends along, and no log may hold. */
export const identityHeaders = [
  ["authorization", `Bearer TOKEN-${secretDigits}`],
  ["cookie", `session=COOKIE-${secretDigits}`],
] as const;

const awsEnv = {
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: `secret-${secretDigits}`,
  AWS_EC2_METADATA_DISABLED: "true",
};

export interface Send extends Partial<Omit<PlainRequest, "headers">> {
  readonly target: string;
  /** `undefined` = none. Default: t1. */
  readonly tenant?: string | undefined;
  /** `undefined` = none. Default with a body: application/json. */
  readonly contentType?: string | undefined;
  readonly headers?: PlainRequest["headers"];
}

/** A running sidecar between a client on raw sockets and a recording upstream, with a key service of its own. */
export class Rig {
  readonly form: Form;
  readonly folder: SidecarFolder;
  readonly upstream: RecordingUpstream;
  readonly kms: KmsStandIn;
  readonly sidecar: Sidecar;
  readonly stalls: StallProbe;
  /** Refusal bodies by code: the first of each, which all later ones must equal (I5). */
  readonly refusals = new Map<string, string>();

  private constructor(parts: Pick<Rig, "form" | "folder" | "upstream" | "kms" | "sidecar">) {
    this.form = parts.form;
    this.folder = parts.folder;
    this.upstream = parts.upstream;
    this.kms = parts.kms;
    this.sidecar = parts.sidecar;
    this.stalls = new StallProbe({ port: parts.sidecar.adminPort, pid: parts.sidecar.pid });
  }

  static async start(options: RigOptions): Promise<Rig> {
    const folder = await makeSidecarFolder(options.form);
    const kms = await KmsStandIn.start();
    const upstream = await RecordingUpstream.start(folder.upstreamIdentity, folder.ca);
    try {
      const sidecar = await startSidecar(options, { folder, kms, upstream });
      return new Rig({ form: options.form, folder, upstream, kms, sidecar });
    } catch (error) {
      await endParts({ folder, kms, upstream });
      throw error;
    }
  }

  /** One request on a connection of its own. */
  send(send: Send, options: Partial<RawExchange> = {}): Promise<RawOutcome> {
    const tenant = "tenant" in send ? send.tenant : t1;
    const contentType =
      "contentType" in send ? send.contentType : send.body === undefined ? undefined : "application/json";
    const method = send.method ?? (send.body === undefined ? "GET" : "PUT");
    const bytes = requestBytes({
      method,
      target: send.target,
      headers: [
        ...identityHeaders,
        ...(tenant === undefined ? [] : [["x-tenant-id", tenant] as const]),
        ...(contentType === undefined ? [] : [["content-type", contentType] as const]),
        ...(send.headers ?? []),
      ],
      ...(send.body === undefined ? {} : { body: send.body }),
    });
    return exchange({ port: this.sidecar.port, bytes: [bytes], methods: [method], ...options });
  }

  async stop(): Promise<void> {
    await this.stalls.stop();
    await this.sidecar.stop();
    await endParts(this);
  }
}

type Parts = Pick<Rig, "folder" | "kms" | "upstream">;

async function startSidecar(options: RigOptions, { folder, kms, upstream }: Parts): Promise<Sidecar> {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const settings = { ...options, port, adminPort, upstreamPort: upstream.port, kms };
  await writeFile(join(folder.path, "sidecar.yaml"), sidecarFile(settings));
  const env = { ...awsEnv, ...options.env };
  if (options.form === "keyring") await shareKeyring({ folder: folder.path, env });
  await options.beforeStart?.({ kms, folder: folder.path });
  const order = { folder: folder.path, port, adminPort, env, nodeArgs: options.nodeArgs ?? [] };
  return Sidecar.start(order, options.until);
}

async function endParts({ folder, kms, upstream }: Parts): Promise<void> {
  await upstream.stop();
  await kms.stop();
  await rm(dirname(folder.path), { recursive: true, force: true });
}
