import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { Checks } from "../../src/app/demo/checks.ts";
import { Children } from "../../src/app/demo/children.ts";
import { writeDemoFiles } from "../../src/app/demo/demo-files.ts";
import { startStore } from "../../src/app/demo/demo-stage.ts";
import { reportDisk } from "../../src/app/demo/disk-report.ts";
import { freePorts } from "../../src/app/demo/free-ports.ts";
import { LegacyApp, type StoredPatient } from "../../src/app/demo/legacy-app.ts";
import { playScenario, scenarioTexts } from "../../src/app/demo/scenario.ts";
import { StoreJournal } from "../../src/app/demo/store-journal.ts";
import { StoreReader } from "../../src/app/demo/store-reader.ts";

/** The real store breaks down on nano's multipart bodies, and its feed never ends: both stay out, as Sealwright keeps them. */
class CarefulApp extends LegacyApp {
  override putMultipart(): Promise<void> {
    return Promise.resolve();
  }

  override changes(feed: "normal" | "continuous"): Promise<StoredPatient[]> {
    return feed === "normal" ? super.changes(feed) : Promise.resolve([]);
  }
}

describe("demo without Sealwright between app and store", () => {
  it("fails the checks of everything that should be sealed or refused, and finds the clear values on disk", async () => {
    await using cleanup = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "sealwright-unsealed-"));
    cleanup.defer(() => rm(folder, { recursive: true }));
    const children = cleanup.use(new Children());
    const [store = 0, lookout = 0] = await freePorts(2);
    const ports = { store, lookout, outbound: 0, inbound: 0, admin: 0, app: 0 };
    const files = await writeDemoFiles(folder, ports);
    const journal = new StoreJournal();
    await startStore(children, files, ports, journal);
    const url = `https://localhost:${store}`;
    const reader = new StoreReader(`${url}/clinic`, files.ca, files.outsider);
    cleanup.defer(() => reader.close());
    const app = new CarefulApp({ url, database: "clinic", dispatcher: reader.dispatcher });

    const checks = new Checks();
    const { members, operations } = await playScenario({ app, store: reader, journal, checks });
    const disk = reportDisk(files, { secrets: scenarioTexts, controls: [] }, checks);

    expect(checks.passed).to.equal(false);
    expect(members.some(({ sealed }) => sealed)).to.equal(false);
    const passing = operations.filter(({ ok }) => ok).map(({ what }) => what);
    expect(passing).to.deep.equal(["list with documents", "fetch by ids", "find by ward", "what changed"]);
    expect(disk.hits).to.be.greaterThan(0);
    expect(journal.peer("outsider")?.protocol).to.equal("TLSv1.3");
  });
});
