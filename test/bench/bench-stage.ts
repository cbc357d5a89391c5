import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freePorts } from "../../src/app/demo/free-ports.ts";
import { createTestPki } from "../../src/app/demo/pki.ts";
import { KmsStandIn } from "../rig/kms-stand-in.ts";
import { makeKeyring } from "../rig/keyring-setup.ts";
import { sidecarFile } from "../rig/sidecar-files.ts";
import { Sidecar } from "../rig/sidecar.ts";

const benchMap = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { constant: t1 }
record: [ $._id ]
fields:
  - { name: ssn, path: $.ssn }
  - { name: phone, path: $.phone }
  - { name: notes, path: $.notes }
  - { name: address, path: $.address }
routes:
  - { match: { methods: [POST], path: /v1/patients }, request: { seal: [$] }, response: { open: [$] } }
  - { match: { methods: [POST], path: /v1/sink }, request: { seal: ["$.docs[*]"] } }
  - { match: { methods: [GET], path: "/v1/bytes/*" }, response: { open: ["$.items[*]"] } }
  - { match: { path: "/v1/plain" }, passthrough: true }
`;

const awsEnv = { AWS_ACCESS_KEY_ID: "bench", AWS_SECRET_ACCESS_KEY: "bench", AWS_EC2_METADATA_DISABLED: "true" };

/** nginx as a passthrough peer: plain HTTP on loopback in, TLS 1.3 with a client certificate and kept connections out. */
const nginxFile = (folder: string, ports: { readonly listen: number; readonly store: number }): string => `
daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log warn;
events { worker_connections 256; }
http {
  access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s; client_max_body_size 0;
  upstream store { server 127.0.0.1:${ports.store}; keepalive 64; }
  server {
    listen 127.0.0.1:${ports.listen};
    location / {
      proxy_pass https://store; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_ssl_protocols TLSv1.3; proxy_ssl_certificate ${folder}/sidecar.crt; proxy_ssl_certificate_key ${folder}/sidecar.key;
      proxy_ssl_trusted_certificate ${folder}/ca.crt; proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_server_name on;
    }
  }
}
`;

/** A store, a sidecar before it and, where nginx is installed, nginx before it too. */
export class BenchStage {
  readonly sidecar: Sidecar;
  readonly nginx: { readonly pid: number; readonly port: number } | undefined;
  readonly #folder: string;
  readonly #children: readonly ChildProcess[];
  readonly #kms: KmsStandIn;

  private constructor(parts: {
    sidecar: Sidecar;
    nginx: BenchStage["nginx"];
    folder: string;
    children: readonly ChildProcess[];
    kms: KmsStandIn;
  }) {
    this.sidecar = parts.sidecar;
    this.nginx = parts.nginx;
    this.#folder = parts.folder;
    this.#children = parts.children;
    this.#kms = parts.kms;
  }

  static async start(): Promise<BenchStage> {
    const folder = await mkdtemp(join(tmpdir(), "sealwright-bench-"));
    const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text, { mode: 0o600 });
    const pki = await createTestPki();
    const store = await pki.issue({ name: "store", dns: ["localhost"], usage: "server" });
    const client = await pki.issue({ name: "sidecar", dns: ["sidecar.test"], usage: "client" });
    await write("ca.crt", pki.ca);
    await write("store.crt", store.cert);
    await write("store.key", store.key);
    await write("sidecar.crt", client.cert);
    await write("sidecar.key", client.key);
    const [storePort = 0, port = 0, adminPort = 0, nginxPort = 0] = await freePorts(4);

    const echo = spawn(process.execPath, [
      join(import.meta.dirname, "echo-store.ts"),
      ...["store.crt", "store.key", "ca.crt"].map((name) => join(folder, name)),
      String(storePort),
    ]);
    await once(echo.stdout, "data");
    const children: ChildProcess[] = [echo];

    const kms = await KmsStandIn.start();
    const settings = {
      form: "keyring" as const,
      port,
      adminPort,
      upstreamPort: storePort,
      kms,
      listener: [
        "limits: { keysPerBody: 100000000, valuesPerBody: 100000000, bodyBytes: 4GiB }",
        "timeouts: { total: 30m }",
      ],
    };
    await write(
      "sidecar.yaml",
      sidecarFile(settings)
        .replace("[patients.yaml, people.yaml, moving.yaml]", "[patients.yaml]")
        .replace("[patients, people, moving]", "[patients]")
        .replace("level: debug", "level: info")
        .replace(", tokenFile: admin.token", ""),
    );
    await write("patients.yaml", benchMap);
    await makeKeyring({ folder, env: awsEnv });
    const sidecar = await Sidecar.start({ folder, port, adminPort, env: awsEnv });

    let nginx: BenchStage["nginx"];
    if (spawnSync("nginx", ["-v"]).status === 0) {
      await mkdir(join(folder, "b"));
      await write("nginx.conf", nginxFile(folder, { listen: nginxPort, store: storePort }));
      const child = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")]);
      children.push(child);
      nginx = { pid: child.pid ?? 0, port: nginxPort };
      await new Promise((settle) => setTimeout(settle, 500));
    }
    return new BenchStage({ sidecar, nginx, folder, children, kms });
  }

  async stop(): Promise<void> {
    await this.sidecar.stop();
    for (const child of this.#children) child.kill("SIGTERM");
    await this.#kms.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
