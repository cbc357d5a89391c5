import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createTestPki, type TestIdentity, type TestPki } from "../../src/app/demo/pki.ts";

export type Form = "keyring" | "inline";

export const forms: readonly Form[] = ["inline", "keyring"];

/** The datasets of the rig's maps. */
export const datasets = ["patients", "people", "moving"] as const;

/** Main map: the fields and routes that the abuse cases assume. Inline has no deterministic keys. */
const patientsMap = (form: Form): string => `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { header: x-tenant-id }
record: [ { path: id }, $._id ]
whenAbsent: refuse
fields:
  - { name: ssn, path: $.ssn }
  - { name: phone, path: "$.contacts[*].phone" }
  - { name: notes, path: $.notes, pad: 64 }
  - { name: email, path: $.email, mode: ${form === "keyring" ? "deterministic" : "randomized"} }
  - { name: emailOfKin, path: $.emailOfKin, mode: ${form === "keyring" ? "deterministic" : "randomized"} }
routes:
  - { match: { methods: [POST], path: /v1/patients }, record: none, request: { seal: [$] }, response: { open: [$] } }
  - match: { methods: [POST], path: /v1/patients/batch }
    record: [ $._id ]
    whenAbsent: unbound
    request: { seal: [ "$[*]" ] }
  - { match: { methods: [GET], path: /v1/patients }, response: { open: ["$.items[*]"] } }
  - { match: { methods: [GET, PUT, PATCH], path: "/v1/patients/{id}" }, request: { seal: [$] }, response: { open: [$] } }
  - { match: { methods: [DELETE], path: "/v1/patients/{id}" }, passthrough: true }
  - { match: { methods: [POST], path: /v1/reports }, request: { pass: true }, response: { open: ["$.rows[*]"] } }
  - { match: { path: "/v1/public/**" }, passthrough: true }
`;

/** Odd names, any case, at any depth. */
const peopleMap = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: people
tenant: { header: x-tenant-id }
record: [ { path: id } ]
names: ignoreCase
fields:
  - { name: ssn, path: $.ssn }
  - { name: proto, path: $.__proto__.ssn }
  - { name: deep, path: $..deep }
routes:
  - { match: { methods: [GET, PUT], path: "/v1/people/{id}" }, request: { seal: [$] }, response: { open: [$] } }
`;

/** On its way from clear to sealed, and lenient with values that cannot be opened. */
const movingMap = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: moving
tenant: { header: x-tenant-id }
record: [ { path: id } ]
onOpenFailure: keepSealed
fields:
  - { name: ssn, path: $.ssn, phase: migrate }
routes:
  - { match: { methods: [GET, PUT], path: "/v1/moving/{id}" }, request: { seal: [$] }, response: { open: [$] } }
`;

export interface SidecarSettings {
  readonly form: Form;
  readonly port: number;
  readonly adminPort: number;
  readonly upstreamPort: number;
  readonly kms: { readonly keyId: string; readonly endpoint: string };
  /** Lines under `keys:`, such as `cache: { age: 1s }`. */
  readonly keys?: readonly string[];
  /** Lines of the listener, such as `limits: { depth: 10 }`. */
  readonly listener?: readonly string[];
}

/** The sidecar file: app in plain HTTP on loopback, TLS 1.3 with a client certificate to the store. */
export const sidecarFile = (settings: SidecarSettings): string => `apiVersion: sealwright.dev/v1
kind: Sidecar
log: { level: debug }
admin: { listen: 127.0.0.1:${settings.adminPort}, tokenFile: admin.token }
identities:
  default: { cert: sidecar.crt, key: sidecar.key }
trust:
  mesh: { ca: ca.crt }
kms:
  main: { provider: aws, keyId: "${settings.kms.keyId}", region: eu-west-1, endpoint: "${settings.kms.endpoint}" }
keys:
  form: ${settings.form}
  kek: main
${[...(settings.form === "keyring" ? ["keyring: keyring.json"] : []), ...(settings.keys ?? [])].map((line) => `  ${line}\n`).join("")}
fieldMaps: [patients.yaml, people.yaml, moving.yaml]
listeners:
  - name: store
    direction: outbound
    listen: 127.0.0.1:${settings.port}
    upstream: { url: "https://localhost:${settings.upstreamPort}", identity: default, trust: mesh, allow: ["dns:localhost"] }
    fieldMaps: [patients, people, moving]
${(settings.listener ?? []).map((line) => `    ${line}\n`).join("")}`;

export interface SidecarFolder {
  /** To be removed by whoever asked for it. */
  readonly path: string;
  readonly upstreamIdentity: TestIdentity;
  readonly ca: string;
  /** Private key of the sidecar's identity, PEM: must show up nowhere. */
  readonly privateKey: string;
  readonly pki: TestPki;
}

/** A new folder with certificates and field maps; the sidecar file comes when the ports are known. */
export async function makeSidecarFolder(form: Form): Promise<SidecarFolder> {
  const root = await mkdtemp(join(tmpdir(), "sealwright-abuse-"));
  const path = join(root, "sidecar");
  await mkdir(path);
  const pki = await createTestPki();
  const sidecar = await pki.issue({ name: "sidecar", dns: ["sidecar.test"], usage: "client" });
  const upstreamIdentity = await pki.issue({ name: "store", dns: ["localhost"], usage: "server" });
  const write = (name: string, text: string): Promise<void> => writeFile(join(path, name), text, { mode: 0o600 });
  await write("ca.crt", pki.ca);
  await write("sidecar.crt", sidecar.cert);
  await write("sidecar.key", sidecar.key);
  await write("admin.token", randomBytes(24).toString("base64url"));
  await write("patients.yaml", patientsMap(form));
  await write("people.yaml", peopleMap);
  await write("moving.yaml", movingMap);
  return { path, upstreamIdentity, ca: pki.ca, privateKey: sidecar.key, pki };
}
