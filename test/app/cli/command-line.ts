import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { CommanderError } from "commander";
import { inputBytes } from "../../../src/app/cli/input-bytes.ts";
import { buildProgram } from "../../../src/app/cli/program.ts";
import type { Paint, Terminal } from "../../../src/app/cli/terminal.ts";

const plain: Paint = { good: (t) => t, bad: (t) => t, warn: (t) => t, faint: (t) => t };

export interface Ran {
  readonly code: number;
  /** Lines, or the bytes of a document. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command inside this process, as `main` does; `stdin` is what `-` reads. */
export async function runInProcess(args: readonly string[], stdin = "", agrees = false): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal: Terminal = {
    result: (line) => void out.push(`${line}\n`),
    resultBytes: (bytes) => void out.push(bytes.toString("utf8")),
    progress: (line) => void err.push(`${line}\n`),
    paint: plain,
    agrees: () => Promise.resolve(agrees),
    inputStream: (file, from) => (file === "-" ? Readable.from([Buffer.from(stdin)]) : inputBytes(file, from)),
    resultStream: (bytes) => Promise.resolve(void out.push(bytes.toString("latin1"))),
    input: (file) => Promise.resolve(file === "-" ? Buffer.from(stdin) : readFileSync(file)),
  };
  let code = 0;
  try {
    await buildProgram({ terminal, finish: (ended) => (code = ended) }).parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    code = error.exitCode === 0 ? 0 : 2;
  }
  return { code, stdout: out.join(""), stderr: err.join("") };
}

export interface FolderPorts {
  readonly admin: number;
  readonly listener: number;
  readonly upstream: number;
}

const fieldMap = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { header: x-tenant-id }
record: [{ path: id }, $._id]
fields:
  - { name: ssn, path: $.ssn, formerly: [social] }
  - { name: notes, path: $.notes, pad: 64 }
  - { name: email, path: $.email, mode: deterministic }
routes:
  - { match: { methods: [GET, PUT], path: "/v1/patients/{id}" }, request: { seal: [$] }, response: { open: [$] } }
  - { match: { methods: [POST], path: /v1/reports }, request: { pass: true } }
  - { match: { path: "/v1/public/**" }, passthrough: true }
`;

/** Writes a sidecar file and its field map into `folder`, for one outbound listener. */
export function writeSidecarFolder(
  folder: string,
  ports: FolderPorts = { admin: 15_000, listener: 8081, upstream: 8080 },
): string {
  writeFileSync(join(folder, "patients.yaml"), fieldMap);
  const path = join(folder, "sidecar.yaml");
  writeFileSync(
    path,
    `apiVersion: sealwright.dev/v1
kind: Sidecar
admin: { listen: "127.0.0.1:${ports.admin}" }
kms: { dev: { provider: local, keyFile: kek.json } }
keys: { form: keyring, kek: dev, keyring: keyring.json }
fieldMaps: [patients.yaml]
listeners:
  - name: store
    direction: outbound
    listen: "127.0.0.1:${ports.listener}"
    upstream: { url: "http://127.0.0.1:${ports.upstream}" }
    fieldMaps: [patients]
`,
  );
  return path;
}
