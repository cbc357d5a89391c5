import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";

import { ConfigProblems } from "../../../src/app/config/config-problems.ts";
import { loadSidecar } from "../../../src/app/config/load-sidecar.ts";
import type { KmsConfig } from "../../../src/kms/kms-config.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";

describe("a Vault in the sidecar file", () => {
  const folder = useScratchFolder();

  const write = (name: string, text: string, mode = 0o600): string => {
    const path = join(folder(), name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };
  const sidecar = (vault: string): string =>
    write(
      "sidecar.yaml",
      `apiVersion: sealwright.dev/v1
kind: Sidecar
kms: { main: { provider: vault, ${vault} } }
listeners:
  - { name: store, direction: outbound, listen: "127.0.0.1:8081", upstream: { url: "http://127.0.0.1:8080" } }
`,
    );
  const load = (vault: string): KmsConfig | undefined =>
    loadSidecar(sidecar(vault), { files: "noted" }).config.kms.get("main");
  const rules = (vault: string, files: "noted" | "required" = "noted"): readonly string[] => {
    try {
      loadSidecar(sidecar(vault), { files });
      return [];
    } catch (error) {
      if (!(error instanceof ConfigProblems)) throw error;
      return error.problems.map(({ rule }) => rule);
    }
  };
  const service = 'address: "https://vault.internal:8200", key: patients';
  const at = (name: string): string => join(folder(), name);

  it("takes every method of login, with paths from the file's folder", () => {
    const base = { provider: "vault", address: "https://vault.internal:8200", mount: "transit", key: "patients" };
    expect(load(`${service}, auth: { method: token, tokenFile: t }`)).to.deep.equal({
      ...base,
      auth: { method: "token", tokenFile: at("t") },
    });
    expect(load(`${service}, auth: { method: kubernetes, role: app }`)).to.deep.equal({
      ...base,
      auth: { method: "kubernetes", role: "app", mount: "kubernetes" },
    });
    expect(load(`${service}, auth: { method: kubernetes, role: app, tokenFile: j, mount: clusters/a }`)).to.deep.equal({
      ...base,
      auth: { method: "kubernetes", role: "app", mount: "clusters/a", tokenFile: at("j") },
    });
    expect(
      load(`${service}, auth: { method: approle, roleId: r-1, secretIdFile: s, client: { cert: c, key: k } }`),
    ).to.deep.equal({
      ...base,
      auth: {
        method: "approle",
        roleId: "r-1",
        secretIdFile: at("s"),
        mount: "approle",
        client: { cert: at("c"), key: at("k") },
      },
    });
    expect(
      load(
        `${service}, mount: engines/transit, namespace: hospital/, ca: a.pem, minVersion: TLSv1.2, auth: { method: cert, cert: c, key: k, role: web }`,
      ),
    ).to.deep.equal({
      ...base,
      mount: "engines/transit",
      namespace: "hospital/",
      ca: at("a.pem"),
      minVersion: "TLSv1.2",
      auth: { method: "cert", cert: at("c"), key: at("k"), role: "web", mount: "cert" },
    });
  });

  it("refuses what the provider would refuse at start", () => {
    const auth = "auth: { method: kubernetes, role: app }";
    expect(rules(`address: "http://vault.internal:8200", key: k, ${auth}`)).to.deep.equal(["kms-endpoint-clear"]);
    expect(rules(`address: "https://vault.internal/v1", key: k, ${auth}`)).to.deep.equal(["kms-endpoint-form"]);
    expect(rules('address: "http://127.0.0.1:8200", key: k, auth: { method: cert, cert: c, key: k }')).to.deep.equal([
      "kms-endpoint-form",
    ]);
    for (const wrong of ["mount: ../sys", "mount: transit/", "namespace: /a", "namespace: 'a b'"])
      expect(rules(`${service}, ${wrong}, ${auth}`)[0], wrong).to.equal("wrong-form");
    for (const key of ["a/b", "..", "k%2f", "''"])
      expect(rules(`address: "https://vault.internal:8200", key: ${key}, ${auth}`)[0], key).to.equal("wrong-form");
  });

  it("refuses a token in the file, and logins that are half said", () => {
    expect(rules(`${service}, auth: { method: token, token: hvs.aaaaaaaaaaaaaaaaaaaaaaaa }`)).to.include(
      "secret-in-file",
    );
    for (const auth of [
      "{ method: cert, cert: c }",
      "{ method: approle, roleId: r }",
      "{ method: token }",
      "{ role: a }",
    ])
      expect(rules(`${service}, auth: ${auth}`), auth).to.not.be.empty;
    expect(rules(service)).to.not.be.empty;
  });

  it("needs every file of a login, private ones unread by others", () => {
    write("c", "", 0o644);
    write("k", "", 0o644);
    write("s", "", 0o640);
    write("j", "", 0o644);
    expect(rules(`${service}, auth: { method: cert, cert: c, key: k }`, "required")).to.deep.equal(["key-file-mode"]);
    expect(
      rules(
        `${service}, auth: { method: approle, roleId: r, secretIdFile: s, client: { cert: c, key: x } }`,
        "required",
      ),
    ).to.deep.equal(["file-missing"]);
    expect(rules(`${service}, auth: { method: kubernetes, role: r, tokenFile: j }`, "required")).to.deep.equal([]);
    expect(rules(`${service}, ca: none.pem, auth: { method: token, tokenFile: j }`, "required")).to.have.members([
      "file-missing",
      "key-file-mode",
    ]);
  });
});
