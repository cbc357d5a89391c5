import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { ConfigProblems } from "../../../src/app/config/config-problems.ts";
import { loadSidecar, type LoadOptions } from "../../../src/app/config/load-sidecar.ts";
import type { SidecarConfig } from "../../../src/app/config/sidecar-config.ts";
import { defaultLimits } from "../../../src/base/limits.ts";
import { failureCode } from "../../rig/failure-code.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { defaultTimeouts } from "../../../src/proxy/listener-options.ts";

const example = resolve(import.meta.dirname, "../../../config/example/sidecar.yaml");
const head = "apiVersion: sealwright.dev/v1\nkind: Sidecar\n";
const listener = `listeners:
  - name: store
    direction: outbound
    listen: 127.0.0.1:8081
    upstream: { url: "http://127.0.0.1:8080" }
`;

describe("sidecar file", () => {
  const folder = useScratchFolder();

  const write = (name: string, text: string): string => {
    const path = join(folder(), name);
    writeFileSync(path, text);
    return path;
  };
  const load = (text: string): SidecarConfig => loadSidecar(write("sidecar.yaml", text), { files: "noted" }).config;
  const rules = (text: string, options: LoadOptions = { files: "noted" }): readonly string[] => {
    try {
      loadSidecar(write("sidecar.yaml", text), options);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigProblems)) throw error;
      return error.problems.map(({ rule }) => rule);
    }
  };

  it("loads the example as it stands, noting the files that come later", () => {
    const { config, maps, warnings } = loadSidecar(example, { files: "noted" });
    expect(config.listeners.map(({ name }) => name)).to.deep.equal(["app", "store"]);
    expect(maps.map(({ dataset }) => dataset.name)).to.deep.equal(["patients"]);
    expect(warnings.filter(({ rule }) => rule === "file-missing")).to.have.length(5);
  });

  it("fills in the defaults of limits, timeouts and the admin listener", () => {
    const config = load(head + listener);
    expect(config.admin).to.deep.equal({ kind: "tcp", host: "127.0.0.1", port: 15_000 });
    expect(config.keys).to.equal(undefined);
    expect(config.listeners[0]?.limits).to.deep.equal(defaultLimits);
    expect(config.listeners[0]?.timeouts).to.deep.equal(defaultTimeouts);
    expect(config.listeners[0]?.routes).to.equal(undefined);
  });

  it("reads units into bytes and milliseconds", () => {
    const settings = '    limits: { bodyBytes: 2MiB }\n    timeouts: { header: 3s, total: "off" }\n';
    const [store] = load(head + listener + settings).listeners;
    expect(store?.limits.bodyBytes).to.equal(2 * 1024 * 1024);
    expect(store?.timeouts.header).to.equal(3000);
    expect(store?.timeouts.total).to.equal(2 ** 31 - 1);
  });

  it("lowers a default limit below one that is written rather than refuse it", () => {
    const [store] = load(`${head}${listener}    limits: { bodyBytes: 1MiB }\n`).listeners;
    expect(store?.limits.valueBytes).to.equal(1024 * 1024);
    expect(store?.limits.stringBytes).to.equal(1024 * 1024);
  });

  it("takes relative paths from the file's own folder", () => {
    const config = load(`${head}kms: { dev: { provider: local, keyFile: keys/kek.json } }\n${listener}`);
    expect(config.kms.get("dev")).to.deep.equal({ provider: "local", keyFile: join(folder(), "keys/kek.json") });
  });

  it("takes a keyring in a ConfigMap as it is named: it is no file", () => {
    const text = `${head}kms: { dev: { provider: local, keyFile: kek.json } }\nkeys: { form: keyring, kek: dev, keyring: KEYRING }\n${listener}`;
    const keyring = "configmap:clinic/keyring";
    expect(load(text.replace("KEYRING", keyring)).keys?.keyring).to.equal(keyring);
    expect(load(text.replace("KEYRING", "ring.json")).keys?.keyring).to.equal(join(folder(), "ring.json"));
  });

  const timed = (timeouts: string): readonly string[] => rules(`${head}${listener}    timeouts: { ${timeouts} }\n`);
  const keyed = (keys: string): readonly string[] =>
    rules(
      `${head}kms: { dev: { provider: local, keyFile: k }, other: { provider: local, keyFile: o } }\n` +
        `keys: { kek: dev, ${keys} }\n${listener}`,
    );

  for (const name of ["header", "body", "upstream", "total", "idle", "drain"]) {
    it(`refuses a timeout ${name} of no time, or of more than a timer holds`, () => {
      for (const time of ["0s", "0ms", "0d", "25d", "720h", "2147483648ms"])
        expect(timed(`total: "off", ${name}: ${time}`.replace(/^total: "off", (?=total)/, ""))).to.deep.equal([
          "duration-range",
        ]);
      expect(timed(name === "total" ? "total: 24d" : `total: "off", ${name}: 2147483647ms`)).to.deep.equal([]);
    });
  }

  it("refuses ages of keys that are no time, or more than a timer holds; only an outage budget may be none", () => {
    const ring = "form: keyring, keyring: r";
    for (const setting of [
      "cache: { age: 876000h }",
      "cache: { age: 0s }",
      "sealing: { age: 0h }",
      "outageBudget: 60d",
    ])
      expect(keyed(`${ring}, ${setting}`)).to.deep.equal(["duration-range"]);
    expect(keyed(`${ring}, outageBudget: 0s`)).to.deep.equal([]);
  });

  it("C-08 takes an oldest version of sealed values that it knows, and no other", () => {
    expect(keyed("form: keyring, keyring: r, minVersion: swr1")).to.deep.equal([]);
    for (const version of ["swr0", "swr2", '"1"'])
      expect(keyed(`form: keyring, keyring: r, minVersion: ${version}`)).to.deep.equal(["unknown-value"]);
  });

  it("keeps rotation within its windows, which no timer has to hold", () => {
    const rotation = (settings: string) => keyed(`form: keyring, keyring: r, rotation: { ${settings} }`);
    expect(rotation("decryptOnly: 29d")).to.deep.equal(["decrypt-only-window"]);
    expect(rotation("decryptOnly: 91d")).to.deep.equal(["decrypt-only-window"]);
    expect(rotation("every: 0d")).to.deep.equal(["rotation-every"]);
    expect(rotation("every: 23h")).to.deep.equal(["rotation-every"]);
    for (const fine of ["decryptOnly: 30d", "decryptOnly: 90d", "every: 1d", "every: 3650d"])
      expect(rotation(fine)).to.deep.equal([]);
  });

  it("refuses what only a keyring uses where none is", () => {
    for (const setting of [
      "keyring: r",
      `rootId: "${"0f".repeat(32)}"`,
      "wraps: [other]",
      "rotation: { every: 30d }",
    ]) {
      expect(keyed(`form: inline, ${setting}`)).to.deep.equal(["keyring-unused"]);
      const ring = setting.startsWith("keyring") ? "" : ", keyring: r";
      expect(keyed(`form: inline, accept: [inline, keyring], ${setting}${ring}`)).to.deep.equal([]);
    }
  });

  it("refuses a KEK that is named twice", () => {
    expect(keyed("form: keyring, keyring: r, wraps: [dev]")).to.deep.equal(["duplicate-kek"]);
    expect(keyed("form: keyring, keyring: r, wraps: [other, other]")).to.deep.equal(["duplicate-kek"]);
    expect(keyed("form: keyring, keyring: r, wraps: [other]")).to.deep.equal([]);
  });

  const id = "1234abcd-12ab-34cd-56ef-1234567890ab";
  const aws = (keyId: string, more = ""): readonly string[] =>
    rules(`${head}kms: { main: { provider: aws, keyId: "${keyId}", region: eu-west-1${more} } }\n${listener}`);

  it("refuses AWS keys that the provider would refuse at start", () => {
    const arn = `arn:aws:kms:eu-west-1:111122223333:key/${id}`;
    for (const fine of [id, arn, `mrk-${"0".repeat(32)}`]) expect(aws(fine)).to.deep.equal([]);
    for (const wrong of ["foo", "alias/main", arn.replace("eu-west-1", "us-east-1"), `${arn}x`, id.toUpperCase()])
      expect(aws(wrong)).to.deep.equal(["kms-key-id"]);
  });

  const gcpKey = "projects/hospital1/locations/europe-west3/keyRings/sealwright/cryptoKeys/patients";
  const gcp = (keyName: string, more = ""): readonly string[] =>
    rules(`${head}kms: { main: { provider: gcp, keyName: "${keyName}"${more} } }\n${listener}`);

  it("takes names of Cloud KMS keys for no secrets, and refuses what the provider would refuse at start", () => {
    expect(gcp(gcpKey, ", protectionLevel: HSM, ca: a.pem")).to.deep.equal([]);
    expect(gcp(`${gcpKey}/cryptoKeyVersions/1`)).to.deep.equal(["wrong-form"]);
    expect(gcp(gcpKey.replace("hospital1", "12345"))).to.deep.equal(["wrong-form"]);
    expect(gcp(gcpKey, ", protectionLevel: hsm")).to.deep.equal(["unknown-value"]);
    expect(gcp(gcpKey, ', endpoint: "https://kms.internal/v1"')).to.deep.equal(["kms-endpoint-form"]);
    expect(gcp(gcpKey, ', endpoint: "http://kms.internal"')).to.deep.equal(["kms-endpoint-clear"]);
    const path = write(
      "sidecar.yaml",
      `${head}kms: { main: { provider: gcp, keyName: "${gcpKey}", ca: a.pem } }\n${listener}`,
    );
    expect(loadSidecar(path, { files: "noted" }).config.kms.get("main")).to.deep.equal({
      provider: "gcp",
      keyName: gcpKey,
      ca: join(folder(), "a.pem"),
    });
  });

  it("refuses endpoints that the provider would refuse at start", () => {
    const at = (endpoint: string) => aws(id, `, endpoint: "${endpoint}"`);
    for (const fine of [
      "https://kms.internal",
      "https://kms.internal:8443/",
      "http://127.0.0.1:5000",
      "http://[::1]:1",
    ])
      expect(at(fine)).to.deep.equal([]);
    for (const wrong of ["https://kms.internal/path", "https://kms.internal?a=b", "ftp://kms.internal", "kms.internal"])
      expect(at(wrong)).to.deep.equal(["kms-endpoint-form"]);
    expect(at("http://kms.internal")).to.deep.equal(["kms-endpoint-clear"]);
  });

  it("is frozen", () => {
    const config = load(head + listener);
    expect(
      Object.isFrozen(config) && Object.isFrozen(config.listeners) && Object.isFrozen(config.listeners[0]),
    ).to.equal(true);
  });

  it("tells problems of shape, of rules and of field maps in one go, in reading order", () => {
    write("map.yaml", "apiVersion: sealwright.dev/v1\nkind: FieldMap\ndataset: patients\n");
    const text = `${head}admin: { listen: 0.0.0.0:15000 }\nfieldMaps: [map.yaml]\n${listener}    unmatched: deny\nwrong: 1\n`;
    expect(rules(text)).to.deep.equal([
      "missing-setting",
      "missing-setting",
      "missing-setting",
      "admin-exposed",
      "unmatched-without-maps",
      "unknown-setting",
    ]);
  });

  it("keeps to its rules in parts that can be read when others cannot", () => {
    expect(rules(`${head}admin: { listen: 0.0.0.0:15000 }\nlisteners: 5\n`)).to.deep.equal([
      "admin-exposed",
      "wrong-type",
    ]);
  });

  it("needs every file that is named before it runs", () => {
    const text = `${head}identities: { default: { cert: a.crt, key: a.key } }\n${listener}`;
    expect(rules(text, { files: "required" })).to.deep.equal(["file-missing", "file-missing"]);
    expect(rules(text)).to.deep.equal([]);
  });

  it("finds routes of two maps of one listener that a request could take alike", () => {
    for (const dataset of ["a", "b"])
      write(
        `${dataset}.yaml`,
        `apiVersion: sealwright.dev/v1\nkind: FieldMap\ndataset: ${dataset}\ntenant: { constant: t }\n` +
          "fields: [{ path: $.x }]\nroutes: [{ match: { methods: [PUT], path: /v1/x }, record: none, request: { seal: [$] } }]\n",
      );
    const keys =
      "kms: { dev: { provider: local, keyFile: k } }\nkeys: { form: keyring, kek: dev, keyring: r }\nfieldMaps: [a.yaml, b.yaml]\n";
    expect(rules(`${head}${keys}${listener}    fieldMaps: [a, b]\n`)).to.include("route-tie");
  });

  it("says that a sidecar file is not there", async () => {
    const code = await failureCode(() => loadSidecar(join(folder(), "none.yaml"), { files: "noted" }));
    expect(code).to.equal("file_unreadable");
  });

  const secrets: Readonly<Record<string, string>> = {
    "a private key": 'identities: { default: { cert: a.crt, key: "-----BEGIN PRIVATE KEY-----" } }\n',
    "a PIN": 'kms: { hsm: { provider: pkcs11, pin: "1234" } }\n',
    "a password in a URL": 'kms: { main: { provider: aws, endpoint: "https://user:word@kms.internal" } }\n',
    "a cloud access key": "kms: { main: { provider: aws, keyId: x, region: AKIAIOSFODNN7EXAMPLE } }\n",
    "a token": 'kms: { vault: { provider: vault, token: "hvs.CAESIJ0000000000000000000000" } }\n',
    "a key in hex": `kms: { dev: { provider: local, keyFile: "${"0f".repeat(32)}" } }\n`,
  };
  for (const [title, text] of Object.entries(secrets)) {
    it(`Q-05 refuses ${title} in the file`, () => expect(rules(head + text + listener)).to.include("secret-in-file"));
  }

  it("takes ordinary paths for no secrets", () => {
    const path = "/var/run/secrets/kubernetes.io/serviceaccount/Token1";
    expect(rules(`${head}kms: { dev: { provider: local, keyFile: ${path} } }\n${listener}`)).to.deep.equal([]);
  });
});
