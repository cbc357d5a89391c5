import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { YamlPath } from "../../base/yaml/yaml-value.ts";
import { namesConfigMap } from "../../keys/keyring/stores/config-map-name.ts";
import type { Breach } from "./breach.ts";
import type { ReadableSidecar } from "./readable-sidecar.ts";
import type { VaultFile } from "./vault-schema.ts";

/** A file that the sidecar file names. `kind`: who may read it. */
interface NamedFile {
  readonly path: YamlPath;
  /** Absolute. */
  readonly file: string;
  readonly kind: "public" | "private" | "owner-only";
}

/** Bits that a mode must not have. A Kubernetes secret with fsGroup is group-readable; a local key file has no such excuse. */
const looseBits = { public: 0, private: 0o037, "owner-only": 0o177 } as const;

function namedFiles(file: ReadableSidecar, folder: string): readonly NamedFile[] {
  const at = (path: YamlPath, name: string, kind: NamedFile["kind"]): NamedFile => ({
    path,
    file: resolve(folder, name),
    kind,
  });
  const { keys } = file;
  return [
    ...file.identities.flatMap(({ name, value }) => [
      at(["identities", name, "cert"], value.cert, "public"),
      at(["identities", name, "key"], value.key, "private"),
    ]),
    ...file.trust.flatMap(({ name, value }) => [
      at(["trust", name, "ca"], value.ca, "public"),
      ...(value.crl === undefined ? [] : [at(["trust", name, "crl"], value.crl, "public")]),
    ]),
    ...file.listeners.flatMap(({ index, value: { upstream } }) =>
      upstream.pinFile === undefined
        ? []
        : [at(["listeners", index, "upstream", "pinFile"], upstream.pinFile, "public")],
    ),
    ...file.kms.flatMap(({ name, value }) => {
      if (value.provider === "local") return [at(["kms", name, "keyFile"], value.keyFile, "owner-only")];
      if (value.provider === "pkcs11")
        return [
          at(["kms", name, "module"], value.module, "public"),
          at(["kms", name, "pinFile"], value.pinFile, "private"),
        ];
      if (value.provider === "recovery")
        return value.secretFile === undefined ? [] : [at(["kms", name, "secretFile"], value.secretFile, "owner-only")];
      const login = value.provider === "vault" ? vaultFiles(value.auth, ["kms", name, "auth"]) : [];
      return [
        ...(value.ca === undefined ? [] : [at(["kms", name, "ca"], value.ca, "public")]),
        ...login.map(({ path, file: one, kind }) => at(path, one, kind)),
      ];
    }),
    ...(file.adminTokenFile === undefined ? [] : [at(["admin", "tokenFile"], file.adminTokenFile, "private")]),
    ...(keys?.keyring === undefined || namesConfigMap(keys.keyring)
      ? []
      : [at(["keys", "keyring"], keys.keyring, "public")]),
  ];
}

/** What a login to Vault stands on; paths as they are written. Kubernetes gives its tokens modes of its own. */
function vaultFiles(auth: VaultFile["auth"], path: YamlPath): readonly NamedFile[] {
  const certificate =
    auth.method === "cert" ? { value: auth, path } : { value: auth.client, path: [...path, "client"] };
  const files: (NamedFile | undefined)[] = [
    certificate.value && { path: [...certificate.path, "cert"], file: certificate.value.cert, kind: "public" },
    certificate.value && { path: [...certificate.path, "key"], file: certificate.value.key, kind: "private" },
  ];
  if (auth.method === "token") files.push({ path: [...path, "tokenFile"], file: auth.tokenFile, kind: "private" });
  if (auth.method === "kubernetes" && auth.tokenFile !== undefined)
    files.push({ path: [...path, "tokenFile"], file: auth.tokenFile, kind: "public" });
  if (auth.method === "approle")
    files.push({ path: [...path, "secretIdFile"], file: auth.secretIdFile, kind: "private" });
  return files.filter((one) => one !== undefined);
}

/** What stands on disk: files that are not there, and key files that others can read. */
export interface FileFindings {
  readonly missing: readonly Breach[];
  readonly loose: readonly Breach[];
}

/** Looks at every file that the sidecar file names, without reading any. `folder` = where relative paths begin. */
export function fileFindings(file: ReadableSidecar, folder: string): FileFindings {
  const missing: Breach[] = [];
  const loose: Breach[] = [];
  for (const { path, file: name, kind } of namedFiles(file, folder)) {
    const mode = modeOf(name);
    if (mode === undefined) missing.push({ rule: "file-missing", path });
    else if ((mode & looseBits[kind]) !== 0) loose.push({ rule: "key-file-mode", path });
  }
  return { missing, loose };
}

function modeOf(file: string): number | undefined {
  try {
    return statSync(file).mode & 0o777;
  } catch {
    // Absent, or in a folder that may not be entered: for this process it is not there.
    return undefined;
  }
}
