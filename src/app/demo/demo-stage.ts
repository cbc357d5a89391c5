import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { SealwrightError } from "../../base/sealwright-error.ts";
import { createLocalKeyFile } from "../../kms/local/local.ts";
import type { Children } from "./children.ts";
import type { DemoPorts } from "./demo-config.ts";
import type { DemoFiles } from "./demo-files.ts";
import type { StoreEvent } from "./document-store.ts";
import type { StoreJournal } from "./store-journal.ts";

const startLimitMs = 20_000;
const pollMs = 50;

const script = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Starts the store; ends when it listens. `journal` gets what it tells. */
export async function startStore(
  children: Children,
  files: DemoFiles,
  ports: DemoPorts,
  journal: StoreJournal,
): Promise<void> {
  const at = (name: string): string => join(files.folder, name);
  const args = [
    script("./document-store.ts"),
    ...["--folder", files.storeData, "--port", String(ports.store), "--lookout", String(ports.lookout)],
    ...["--ca", at("config/ca.crt"), "--cert", at("store/store.crt"), "--key", at("store/store.key")],
  ];
  const listening = Promise.withResolvers<undefined>();
  const ended = children.start({
    name: "the document store",
    args,
    log: join(files.logs, "store.log"),
    line: (text) => {
      const event = JSON.parse(text) as StoreEvent;
      if (event.event === "ready") listening.resolve(undefined);
      else journal.add(event);
    },
  });
  await Promise.race([listening.promise, endedEarly(ended, "the document store")]);
}

/** Makes a key file and, by the operator's own commands, a keyring with one active key for every tenant and dataset. */
export async function makeKeys(children: Children, files: DemoFiles): Promise<void> {
  await createLocalKeyFile(join(files.config, "kek.json"));
  await sealwright(children, files, ["keys", "init", "-c", files.sidecar]);
  await sealwright(children, files, ["keys", "add", "-c", files.sidecar, "--active"]);
}

function sealwright(children: Children, files: DemoFiles, args: readonly string[]): Promise<void> {
  const order = { name: `sealwright ${args.slice(0, 2).join(" ")}`, log: join(files.logs, "commands.log") };
  return children.run({ ...order, args: [script("../cli/sealwright.js"), ...args] });
}

/** Starts the sidecar; ends when it says it is ready. */
export async function startSidecar(children: Children, files: DemoFiles, ports: DemoPorts): Promise<void> {
  const args = [script("../cli/sealwright.js"), "run", "-c", files.sidecar];
  const ended = children.start({ name: "sealwright run", args, log: join(files.logs, "sealwright.log") });
  const waiting = new AbortController();
  try {
    const up = ready(`http://127.0.0.1:${ports.admin}/readyz`, waiting.signal);
    await Promise.race([up, endedEarly(ended, "sealwright run")]);
  } finally {
    waiting.abort();
  }
}

async function ready(url: string, given: AbortSignal): Promise<void> {
  const limit = performance.now() + startLimitMs;
  while (performance.now() < limit && !given.aborted) {
    const status = await fetch(url).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new SealwrightError("demo_failed", { reason: "sealwright run did not become ready" });
}

async function endedEarly(ended: Promise<number>, name: string): Promise<never> {
  await ended;
  throw new SealwrightError("demo_failed", { reason: `${name} ended early` });
}
