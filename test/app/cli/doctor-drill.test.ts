import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { freePorts } from "../../../src/app/demo/free-ports.ts";
import { drillLines } from "../../../src/app/doctor/drill.ts";
import { drillReport, type DrillReport } from "../../../src/keys/usage/key-drill.ts";
import type { Outlook } from "../../../src/keys/usage/key-outlook.ts";
import { makeKeyring } from "../../rig/keyring-setup.ts";
import { Sidecar } from "../../rig/sidecar.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder } from "./command-line.ts";

describe("doctor --drill kms", () => {
  const folder = useScratchFolder();

  it("says of a running sidecar how long writes and reads would go on, key by key", async () => {
    const store = createServer(
      (request, response) => void request.resume().on("end", () => response.writeHead(204).end()),
    );
    store.listen(0, "127.0.0.1");
    await once(store, "listening");
    const [admin = 0, listener = 0] = await freePorts(2);
    const upstream = (store.address() as AddressInfo).port;
    const config = writeSidecarFolder(folder(), { admin, listener, upstream });
    expect((await runInProcess(["kek", "create", `${folder()}/kek.json`])).code).to.equal(0);
    await makeKeyring({ folder: folder() });
    const sidecar = await Sidecar.start({ folder: folder(), port: listener, adminPort: admin });
    try {
      const headers = { "content-type": "application/json", "x-tenant-id": "acme" };
      const body = '{"ssn":"078-05-1120"}';
      const put = await fetch(`http://127.0.0.1:${listener}/v1/patients/7`, { method: "PUT", headers, body });
      expect(put.status).to.equal(204);
      const ran = await runInProcess(["doctor", "-c", config, "--drill", "kms", "--json"]);
      expect(ran.code, ran.stderr).to.equal(0);
      const report = JSON.parse(ran.stdout) as DrillReport;
      // An hour of trust and an hour of outage budget, less what has passed.
      expect(report.secondsToDark.seal).to.be.within(7000, 7200);
      expect(report.secondsToDark.open).to.be.within(7000, 7200);
      expect(report.keys.filter(({ inMemory }) => inMemory)).to.have.length.at.least(1);
      const text = await runInProcess(["doctor", "-c", config, "--drill", "kms"]);
      expect(text.stdout).to.match(/writes fail first in (?:11\d min|2 h 0 min)/u);
      expect(text.stdout).to.match(/^ {4}[0-9a-f]{16} {2}active {2}seals for (?:11\d min|2 h 0 min)/mu);
    } finally {
      await sidecar.stop();
      store.closeAllConnections();
      store.close();
    }
  });

  it("says when no sidecar runs there", async () => {
    const [admin = 0] = await freePorts(1);
    const config = writeSidecarFolder(folder(), { admin, listener: 8081, upstream: 8080 });
    const ran = await runInProcess(["doctor", "-c", config, "--drill", "kms"]);
    expect(ran.code).to.equal(1);
    expect(ran.stderr).to.include("admin_refused");
  });

  it("takes no other service's answer for a report", async () => {
    const [admin = 0] = await freePorts(1);
    const config = writeSidecarFolder(folder(), { admin, listener: 8081, upstream: 8080 });
    let body = "";
    const other = createServer((_, response) => response.end(body)).listen(admin, "127.0.0.1");
    await once(other, "listening");
    try {
      for (body of ["{}", "null", '{"keys":[]}', "<html>"]) {
        const ran = await runInProcess(["doctor", "-c", config, "--drill", "kms", "--json"]);
        expect([ran.code, ran.stdout.includes('"admin_refused"')], body).to.deep.equal([1, true]);
      }
    } finally {
      other.close();
    }
  });

  it("counts the keys in memory, also where there are more keys than it shows", () => {
    const outlook: Outlook = {
      keys: Array.from({ length: 3000 }, (_, n) => ({
        key: n.toString(16).padStart(64, "0"),
        form: "keyring",
        inMemory: n < 10,
        trustedFor: 1,
        opens: 1,
      })),
      firstDark: { open: 1 },
      cold: { seal: 0, open: 2990 },
    };
    expect(drillLines(drillReport(outlook, false))).to.include("  10 keys in memory:");
  });
});
