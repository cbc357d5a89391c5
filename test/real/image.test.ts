import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { expect } from "chai";

import { freePorts } from "../../src/app/demo/free-ports.ts";
import { createTestPki } from "../../src/app/demo/pki.ts";
import { createLocalKeyFile } from "../../src/kms/local/local.ts";
import { RecordingUpstream } from "../rig/upstream.ts";
import { Container } from "./image/container.ts";
import { ImageStore, type BuiltImage } from "./image/image-store.ts";

const largest = 180 * 1000 * 1000;

interface Ports {
  readonly port: number;
  readonly admin: number;
  readonly upstream: number;
}

const sidecarFile = (ports: Ports): string => `apiVersion: sealwright.dev/v1
kind: Sidecar
admin: { listen: 127.0.0.1:${ports.admin} }
identities:
  default: { cert: sidecar.crt, key: sidecar.key }
trust:
  mesh: { ca: ca.crt }
kms:
  dev: { provider: local, keyFile: kek.json }
keys: { form: inline, kek: dev }
fieldMaps: [patients.yaml]
listeners:
  - name: store
    direction: outbound
    listen: 127.0.0.1:${ports.port}
    upstream: { url: "https://localhost:${ports.upstream}", identity: default, trust: mesh, allow: ["dns:localhost"] }
    fieldMaps: [patients]
    unmatched: deny
`;

const fieldMap = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { constant: t1 }
record: [{ path: id }]
fields:
  - { name: ssn, path: $.ssn }
routes:
  - { match: { methods: [GET, PUT], path: "/v1/patients/{id}" }, request: { seal: [$] }, response: { open: [$] } }
`;

describe("image, built by buildah on a substitute build base and run by runc", function () {
  this.timeout(600_000);

  const cleanup = new AsyncDisposableStack();
  let work = "";
  let image: BuiltImage;
  let second: BuiltImage;
  let root = "";

  before(async () => {
    work = await mkdtemp(join(tmpdir(), "sealwright-image-"));
    cleanup.defer(() => rm(work, { recursive: true, force: true }));
    const store = await ImageStore.create(join(work, "images"));
    cleanup.defer(() => store.remove());
    image = await store.build("localhost/sealwright:first");
    second = await store.build("localhost/sealwright:second");
    root = store.mount("localhost/sealwright:second");
  });

  after(() => cleanup.disposeAsync());

  it("is the same image, to the bit, when it is built again", () => {
    expect(image.id).to.match(/^[0-9a-f]{64}$/);
    expect(second.id).to.equal(image.id);
  });

  it("is no larger than 180 MB, uncompressed", () => {
    expect(image.size).to.be.within(100_000_000, largest);
  });

  it("holds the bundle, licences, Node.js and its libraries, and nothing else", () => {
    const files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => `/${relative(root, join(entry.parentPath, entry.name))}`);
    const libraries = files.filter((name) => /^\/lib(64)?\/[^ ]*\.so(\.\d+)*$/.test(name));
    const copyrights = files.filter((name) => /^\/usr\/share\/doc\/[^/]+\/(copyright|LICENSE)$/.test(name));
    expect(libraries).to.have.length.within(5, 12);
    expect(copyrights).to.have.length.within(4, 8);
    expect(files.filter((name) => !libraries.includes(name) && !copyrights.includes(name))).to.have.members([
      "/app/LICENSE",
      "/app/THIRD-PARTY.txt",
      "/app/sealwright.js",
      "/etc/group",
      "/etc/nsswitch.conf",
      "/etc/passwd",
      "/usr/local/bin/node",
    ]);
  });

  it("carries no source map and the licence of every production dependency that is in the bundle", () => {
    const bundle = readFileSync(join(root, "app/sealwright.js"), "utf8");
    const licences = readFileSync(join(root, "app/THIRD-PARTY.txt"), "utf8");
    expect(bundle).to.not.match(/sourceMappingURL=/);
    for (const name of ["undici", "pino", "yaml", "zod", "commander", "prom-client", "@aws-sdk/client-kms"]) {
      expect(licences).to.match(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, "m"));
    }
    expect(licences).to.not.match(/^(esbuild|mocha|nano|pouchdb|@peculiar\/x509) /m);
  });

  it("runs as a user by number who is not root", () => {
    expect(image.config.User).to.equal("65532:65532");
  });

  it("says its version", async () => {
    const configuration = join(work, "empty");
    await mkdir(configuration);
    const container = await start({ name: "version", configuration, args: ["--version"] });
    expect(await container.ended()).to.equal(0);
    expect(container.output.trim()).to.match(/^\d+\.\d+\.\d+$/);
  });

  it("seals and opens for a request, with a bare environment on a read-only root, and ends on SIGTERM", async () => {
    const [port = 0, admin = 0] = await freePorts(2);
    const { configuration, upstream } = await configure({ port, admin });
    const container = await start({ name: "serves", configuration });
    cleanup.defer(() => container.signal("KILL"));
    await until(
      () => answers(`http://127.0.0.1:${admin}/readyz`),
      () => container.output,
    );

    const url = `http://127.0.0.1:${port}/v1/patients/1`;
    const body = JSON.stringify({ ward: "west", ssn: "078-05-1120" });
    const put = await fetch(url, { method: "PUT", body, headers: { "content-type": "application/json" } });
    expect(put.status).to.equal(204);
    const stored = upstream.stored.get("/v1/patients/1")?.body.toString() ?? "";
    expect(stored).to.match(/^\{"ward":"west","ssn":"swr1\.[\w-]+"\}$/);
    expect(await (await fetch(url)).text()).to.equal(body);

    container.signal("TERM");
    expect(await container.ended()).to.equal(0);
    expect(container.output).to.not.include("078-05-1120");
  });

  function start(order: { name: string; configuration: string; args?: readonly string[] }): Promise<Container> {
    const name = `sealwright-${order.name}-${randomBytes(4).toString("hex")}`;
    return Container.start({ ...order, name, image, root, folder: join(work, order.name) });
  }

  /** Configuration as a pod would mount it, owned by the image's user, and the store that it names. */
  async function configure(
    ports: Omit<Ports, "upstream">,
  ): Promise<{ configuration: string; upstream: RecordingUpstream }> {
    const configuration = join(work, "configuration");
    await mkdir(configuration);
    const pki = await createTestPki();
    const sidecar = await pki.issue({ name: "sidecar", dns: ["sidecar.test"], usage: "client" });
    const identity = await pki.issue({ name: "store", dns: ["localhost"], usage: "server" });
    const upstream = await RecordingUpstream.start(identity, pki.ca);
    cleanup.defer(() => upstream.stop());
    const files: Readonly<Record<string, string>> = {
      "ca.crt": pki.ca,
      "sidecar.crt": sidecar.cert,
      "sidecar.key": sidecar.key,
      "sidecar.yaml": sidecarFile({ ...ports, upstream: upstream.port }),
      "patients.yaml": fieldMap,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(configuration, name), text, { mode: 0o600 });
    await createLocalKeyFile(join(configuration, "kek.json"));
    const [uid = 0, gid = 0] = image.config.User.split(":").map(Number);
    for (const name of [".", "kek.json", ...Object.keys(files)]) await chown(join(configuration, name), uid, gid);
    return { configuration, upstream };
  }
});

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

async function until(condition: () => Promise<boolean>, report: () => string): Promise<void> {
  for (const limit = Date.now() + 20_000; Date.now() < limit;) {
    if (await condition()) return;
    await new Promise((settle) => setTimeout(settle, 100));
  }
  throw new Error(`the container did not become ready:\n${report()}`);
}
