import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { freePorts } from "../../src/app/demo/free-ports.ts";
import { accepts } from "../rig/accepts.ts";
import { runCommand, Sidecar, type ProgramOrder } from "../rig/sidecar.ts";
import { codeOf, sharedRig } from "../rig/abuse-case.ts";
import { canaryRoot, newCanary, search } from "../rig/canary.ts";
import { secretDigits } from "../rig/rig.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

/** A sidecar in production: its key service is somebody else's, and is not asked at start. */
const productionFile = (admin: number, port: number): string => `apiVersion: sealwright.dev/v1
kind: Sidecar
admin: { listen: "127.0.0.1:${admin}" }
kms: { main: { provider: aws, keyId: 0a1b2c3d-0000-4000-8000-000000000001, region: eu-west-1, endpoint: "https://127.0.0.1:9" } }
keys: { form: inline, kek: main }
fieldMaps: [patients.yaml]
listeners:
  - { name: store, direction: outbound, listen: "127.0.0.1:${port}", upstream: { url: "http://127.0.0.1:9" }, fieldMaps: [patients] }
`;

const map = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { constant: acme }
record: none
fields: [{ name: ssn, path: $.ssn }]
routes: [{ match: { path: /v1/patients }, request: { seal: [$] } }]
`;

const inspectorPort = 9229;

describe("M: the process in production", () => {
  const folder = useScratchFolder();
  let ports: readonly number[] = [];

  beforeEach(async () => {
    ports = await freePorts(2);
    writeFileSync(join(folder(), "sidecar.yaml"), productionFile(ports[0]!, ports[1]!));
    writeFileSync(join(folder(), "patients.yaml"), map);
  });

  async function started<T>(look: (sidecar: Sidecar) => Promise<T>): Promise<T> {
    const sidecar = await Sidecar.start({ folder: folder(), port: ports[1]!, adminPort: ports[0]! });
    try {
      return await look(sidecar);
    } finally {
      await sidecar.stop();
    }
  }

  it("M-03 SIGUSR1 opens no inspector, and the process lives on", async () => {
    await started(async (sidecar) => {
      process.kill(sidecar.pid, "SIGUSR1");
      await new Promise((settle) => setTimeout(settle, 200));
      expect(await accepts(inspectorPort)).to.equal(false);
      expect((await sidecar.admin("/livez")).status).to.equal(200);
      expect(sidecar.output.toString()).not.to.include("Debugger");
    });
  });

  async function refused(order: Pick<ProgramOrder, "env" | "nodeArgs">): Promise<void> {
    const ran = await runCommand({ folder: folder(), args: ["run", "-c", "sidecar.yaml"], ...order });
    expect(ran.code, JSON.stringify(order)).to.equal(1);
    expect(ran.stderr).to.include("environment_refused");
    expect(ran.stdout).not.to.include('"event":"started"');
  }

  it("refuses a start with settings that weaken TLS (L-08)", async () => {
    await refused({ env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" } });
    await refused({ env: { NODE_OPTIONS: "--tls-min-v1.0" } });
    await refused({ env: { SSLKEYLOGFILE: "keys.txt" } });
    await refused({ nodeArgs: ["--tls-keylog=keys.txt"] });
  });

  it("M-04 a start with an inspector, a profile, a snapshot or a report is refused", async () => {
    await refused({ env: { NODE_OPTIONS: "--inspect=127.0.0.1:0" } });
    await refused({ env: { NODE_OPTIONS: "--heapsnapshot-signal=SIGUSR2" } });
    await refused({ nodeArgs: ["--report-on-signal"] });
    await refused({ nodeArgs: ["--heap-prof"] });
  });

  it("M-05 a core dump would hold no memory", async function () {
    // The file is of Linux alone (core(5)).
    if (process.platform !== "linux") this.skip();
    await started((sidecar) => {
      expect(Number.parseInt(readFileSync(`/proc/${sidecar.pid}/coredump_filter`, "utf8"), 16)).to.equal(0);
      return Promise.resolve();
    });
  });

  it("M-06 metrics have a listener of their own, and no word of a request", async function () {
    this.timeout(30_000);
    const rig = await sharedRig("inline");
    const canary = newCanary();
    const tenant = `t-${canary}`.slice(0, 100);
    await rig.send({
      target: `/v1/patients/${canary}`,
      tenant,
      body: `{"ssn":"${canary}"}`,
    });
    const { body } = await rig.sidecar.admin("/metrics");
    expect(body).to.include("sealwright_values_sealed_total");
    expect(search([{ where: "metrics", bytes: Buffer.from(body) }], [canaryRoot, secretDigits, tenant])).to.deep.equal(
      [],
    );
    const outside = await rig.send({ method: "GET", target: "/metrics" });
    expect(codeOf(outside.answers[0])).to.equal("no_route");
  });
});
