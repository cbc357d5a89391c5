import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { runCommand } from "./sidecar.ts";

export interface FoundProblem {
  /** Name without its folder. */
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

export interface CheckResult {
  readonly code: number;
  readonly problems: readonly FoundProblem[];
  /** Both streams. */
  readonly output: string;
}

/** A sidecar file that is good as far as it goes. */
export const plainSidecar = `apiVersion: sealwright.dev/v1
kind: Sidecar
kms: { dev: { provider: local, keyFile: kek.json } }
keys: { form: keyring, kek: dev, keyring: keyring.json }
fieldMaps: [map.yaml]
listeners:
  - name: store
    direction: outbound
    listen: 127.0.0.1:8081
    upstream: { url: "http://127.0.0.1:8082" }
    fieldMaps: [patients]
`;

/** A field map with these lines under `fields`, the first of them on line 6. */
export const mapWithFields = (fields: readonly string[]): string => `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { constant: hospital }
fields:
${fields.map((field) => `  - ${field}\n`).join("")}routes:
  - { match: { methods: [PUT], path: /a }, record: none, request: { seal: [$] } }
`;

/** Runs `sealwright check` on two files in a folder of their own. */
export async function checkFiles(sidecar: string | Buffer, map: string | Buffer): Promise<CheckResult> {
  const folder = await mkdtemp(join(tmpdir(), "sealwright-check-"));
  try {
    await writeFile(join(folder, "sidecar.yaml"), sidecar);
    await writeFile(join(folder, "map.yaml"), map);
    const { code, stdout, stderr } = await runCommand({ folder, args: ["check", "-c", "sidecar.yaml", "--json"] });
    const { problems = [] } = JSON.parse(stdout) as { problems?: readonly FoundProblem[] };
    return {
      code,
      problems: problems.map(({ file, line, rule }) => ({ file: basename(file), line, rule })),
      output: stdout + stderr,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
