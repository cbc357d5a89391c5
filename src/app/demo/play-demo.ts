import { once } from "node:events";

import { Checks } from "./checks.ts";
import type { Children } from "./children.ts";
import { reportDisk } from "./disk-report.ts";
import type { DemoPorts } from "./demo-config.ts";
import { writeDemoFiles } from "./demo-files.ts";
import type { DemoReport } from "./demo-report.ts";
import { makeKeys, startSidecar, startStore } from "./demo-stage.ts";
import { surveyHops } from "./hop-survey.ts";
import { reportKeys } from "./key-report.ts";
import { measureLatency } from "./latency.ts";
import { LegacyApp } from "./legacy-app.ts";
import { clearTexts, control, dmitri } from "./sample-patients.ts";
import { playScenario, scenarioTexts } from "./scenario.ts";
import { StoreJournal } from "./store-journal.ts";
import { StoreReader } from "./store-reader.ts";
import { tryOuts } from "./try-outs.ts";

const latencyRequests = 300;

/** One play of the demo: where it may work, whom it may start and where it leaves what must be closed at the end. */
export interface Play {
  readonly children: Children;
  readonly cleanup: AsyncDisposableStack;
  readonly folder: string;
  readonly ports: DemoPorts;
  readonly progress: (text: string) => void;
}

/** Sets the stage, plays the scenario and looks at everything it left behind. Rejects with `demo_failed` when it cannot. */
export async function playDemo(play: Play): Promise<DemoReport> {
  const { children, cleanup, ports, progress } = play;
  const start = performance.now();
  const checks = new Checks();
  const journal = new StoreJournal();

  progress("making certificates and configuration");
  const files = await writeDemoFiles(play.folder, ports);
  progress("starting the document store");
  await startStore(children, files, ports, journal);
  progress("making keys and starting Sealwright");
  await makeKeys(children, files);
  await startSidecar(children, files, ports);

  const storeUrl = `https://localhost:${ports.store}`;
  const store = new StoreReader(`${storeUrl}/clinic`, files.ca, files.outsider);
  cleanup.defer(() => store.close());
  const app = new LegacyApp({ url: `http://127.0.0.1:${ports.outbound}`, database: "clinic" });
  const site = await app.serve(ports.app);
  cleanup.defer(async () => {
    await once(site.close(), "close");
  });

  progress("playing the app");
  const { members, operations, example } = await playScenario({ app, store, journal, checks });
  const hops = await surveyHops({ ports, files, journal, checks }, example);

  progress("measuring the added latency");
  const direct = new LegacyApp({ url: storeUrl, database: "control", dispatcher: store.dispatcher });
  await direct.createDatabase();
  const paths = { direct: { app: direct, patient: control }, sealed: { app, patient: dmitri } };
  const latency = await measureLatency(paths, latencyRequests);

  const disk = reportDisk(files, { secrets: scenarioTexts, controls: clearTexts(control) }, checks);
  const kms = await reportKeys(`http://127.0.0.1:${ports.admin}`, checks);
  return {
    ok: checks.passed,
    seconds: Math.round((performance.now() - start) / 100) / 10,
    ...{ members, operations, disk, hops, kms, latency },
    checks: checks.all,
    tryOut: tryOuts(files, ports, example),
  };
}
