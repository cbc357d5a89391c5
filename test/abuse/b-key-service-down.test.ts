import { expect } from "chai";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";

import { internalFailure } from "../rig/kms-stand-in.ts";
import { Rig } from "../rig/rig.ts";
import { deadlineMs, expectOutage, refusedWrite } from "./key-service-down.ts";

describe("B: a key service that is down", () => {
  it("B-15 at the first request: 503 within the deadline, nothing forwarded, not ready, then recovery", async function () {
    this.timeout(60_000);
    await Promise.all([
      expectOutage("resets connections", { kind: "reset" }),
      expectOutage("answers 500", internalFailure),
    ]);
  });

  it("B-15 nobody listens, or no TLS is spoken: 503, nothing forwarded", async function () {
    this.timeout(60_000);
    const withoutTls = async ({ folder }: { folder: string }): Promise<void> => {
      const path = join(folder, "sidecar.yaml");
      await writeFile(path, (await readFile(path, "utf8")).replace(/endpoint: "http:/u, 'endpoint: "https:'));
    };
    const [gone, plain] = await Promise.all([
      Rig.start({ form: "inline", beforeStart: ({ kms }) => kms.stop() }),
      Rig.start({ form: "inline", beforeStart: withoutTls }),
    ]);
    try {
      for (const rig of [gone, plain]) {
        expect(await refusedWrite(rig)).to.be.below(deadlineMs);
        expect((await rig.sidecar.admin("/readyz")).status).to.equal(503);
      }
      expect(plain.kms.calls, "calls in clear").to.be.empty;
    } finally {
      await Promise.all([gone.stop(), plain.stop()]);
    }
  });

  it("B-15 at start, before the keyring is verified: not ready, 503, nothing forwarded", async function () {
    this.timeout(60_000);
    const rig = await Rig.start({
      form: "keyring",
      until: "/livez",
      beforeStart: ({ kms }) => void (kms.fault = () => internalFailure),
    });
    try {
      expect((await rig.sidecar.admin("/readyz")).status).to.equal(503);
      await listening(rig.sidecar.port);
      await refusedWrite(rig);
      expect((await rig.sidecar.admin("/readyz")).status).to.equal(503);
    } finally {
      await rig.stop();
    }
  });
});

/** The listener binds once the keyring has been tried, whatever came of it. */
async function listening(port: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      await new Promise((settle) => setTimeout(settle, 50));
    } finally {
      socket.destroy();
    }
  }
  expect.fail("the listener did not bind");
}
