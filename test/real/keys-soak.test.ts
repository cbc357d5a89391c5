import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { freePorts } from "../../src/app/demo/free-ports.ts";
import { FaultFront } from "../rig/fault-front.ts";
import { runCommand, Sidecar } from "../rig/sidecar.ts";
import { DocumentKeeper } from "./stage/document-keeper.ts";
import { OpenBao, usePolicy } from "./stage/openbao.ts";
import { SteadyLoad } from "./stage/steady-load.ts";

const map = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { header: x-tenant-id }
record: [{ path: id }, $.id]
fields: [{ name: ssn, path: $.ssn }, { name: notes, path: $.notes, pad: 32 }]
routes:
  - { match: { methods: [GET, PUT], path: "/v1/patients/{id}" }, request: { seal: [$] }, response: { open: [$] } }
`;

const perSecond = 200;
const cacheAgeMs = 2000;
const pause = (ms: number): Promise<void> => new Promise((settle) => setTimeout(settle, ms));

describe("keys under load, by OpenBao", () => {
  let cleanup: AsyncDisposableStack;
  let folder = "";
  let bao: OpenBao;
  let front: FaultFront;
  let keeper: DocumentKeeper;
  let sidecar: Sidecar;

  before(async () => {
    cleanup = new AsyncDisposableStack();
    folder = await mkdtemp(join(tmpdir(), "sealwright-soak-"));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    bao = cleanup.use(await OpenBao.start());
    front = cleanup.use(await FaultFront.start({ to: bao.address, ca: bao.pki.ca }));
    keeper = cleanup.use(await DocumentKeeper.start());
    await bao.createKey("patients");
    await bao.writePolicy("sidecar", usePolicy("patients"));
    const token = await bao.createToken({ policies: ["sidecar"], ttl: "1h" });
    await writeFile(join(folder, "token"), token, { mode: 0o600 });
    await writeFile(join(folder, "front.pem"), front.ca);
    await writeFile(join(folder, "patients.yaml"), map);
    const [admin = 0, port = 0] = await freePorts(2);
    await writeFile(
      join(folder, "sidecar.yaml"),
      `apiVersion: sealwright.dev/v1
kind: Sidecar
admin: { listen: 127.0.0.1:${admin} }
kms:
  main: { provider: vault, address: "${front.endpoint}", key: patients, ca: front.pem, auth: { method: token, tokenFile: token } }
keys:
  form: keyring
  kek: main
  keyring: keyring.json
  cache: { age: ${cacheAgeMs}ms }
  outageBudget: 60s
fieldMaps: [patients.yaml]
listeners:
  - name: store
    direction: outbound
    listen: 127.0.0.1:${port}
    upstream: { url: "http://127.0.0.1:${keeper.port}" }
    fieldMaps: [patients]
`,
    );
    await command("init");
    await command("add", "--active");
    sidecar = await Sidecar.start({ folder, port, adminPort: admin });
    cleanup.defer(() => sidecar.stop());
  });
  after(() => cleanup.disposeAsync());

  /** A command of the key administrator, who goes the same way to the key service. */
  async function command(...args: readonly string[]): Promise<string> {
    const ran = await runCommand({ folder, args: ["keys", ...args, "-c", "sidecar.yaml"] });
    expect(ran.code, `keys ${args.join(" ")}: ${ran.stdout}${ran.stderr}`).to.equal(0);
    return ran.stdout;
  }

  const toDark = (): Promise<number> => sidecar.metric("sealwright_seconds_to_dark", 'operation="open"');
  const calls = (): Promise<number> => sidecar.metric("sealwright_kms_calls_total");

  /** A new key, spread and then active, with every older one still there to open. */
  async function rotate(): Promise<void> {
    await command("rotate", "--all", "--spread", "1s");
    await pause(1500);
    await command("rotate", "--due");
  }

  it("fails no request and loses no value while the key service is restarted, sealed and slow, and keys rotate and move", async function () {
    this.timeout(110_000);
    const started = Date.now();
    const load = new SteadyLoad(sidecar.port, perSecond);
    load.start();
    await pause(3000);

    // Quiet: one call per key and cache period, however many requests.
    const [before, at] = [await calls(), Date.now()];
    await pause(6000);
    const quietCalls = (await calls()) - before;
    const periods = (Date.now() - at) / (cacheAgeMs * 0.7);
    expect(quietCalls, "KMS calls in quiet times").to.be.within(1, Math.ceil(periods) + 1);

    // Sealed: the gauge counts down, requests go on.
    await bao.seal();
    await pause(3000);
    const first = await toDark();
    await pause(3000);
    const second = await toDark();
    expect(second, "seconds to dark").to.be.below(first);
    expect(first).to.be.within(30, 62);
    await bao.unseal();

    // Rotated and moved to a new version of the KEK, once.
    await rotate();
    await bao.rotateKey("patients");
    await command("rewrap");

    // Restarted: away, then sealed, then back.
    await bao.stop();
    await pause(2000);
    await bao.restart();
    await pause(1000);
    await bao.unseal();

    // Slow: every answer takes longer than an attempt may.
    front.fault = () => ({ kind: "slow", ms: 3000 });
    await pause(6000);
    front.mend();
    await pause(3000);

    // And again, with what was moved before.
    await rotate();
    await bao.rotateKey("patients");
    await command("rewrap");
    await pause(4000);
    expect(await toDark(), "recovered").to.be.above(second);

    const tally = await load.stop();
    const listed = JSON.parse(await command("list", "--json")) as { generation: number; keys: unknown[] };
    process.stdout.write(
      `      ${Math.round((Date.now() - started) / 1000)} s, ${tally.written} written, ${tally.read} read back, ` +
        `${[...tally.failures.values()].reduce((a, b) => a + b, 0)} failed; ${await calls()} KMS calls, ` +
        `${listed.keys.length} keys, keyring generation ${listed.generation}\n`,
    );
    expect([...tally.failures], "failed requests").to.deep.equal([]);
    expect(tally.written + tally.read).to.be.above(perSecond * 25);
    expect(listed.keys).to.have.length(3);
    const stored = [...keeper.documents.values()].map(String);
    expect(stored.filter((text) => text.includes("219-09"))).to.deep.equal([]);
  });
});
