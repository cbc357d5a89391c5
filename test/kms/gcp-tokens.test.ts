import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { createTestPki, type TestPki } from "../../src/app/demo/pki.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { noMetrics } from "../../src/base/metrics.ts";
import { dataContext } from "../../src/kms/context.ts";
// Loaded ahead of the tests, which watch for globals that code leaves behind.
import "../../src/kms/gcp/gcp.ts";
import { GoogleTokens } from "../../src/kms/gcp/gcp-tokens.ts";
import { openKms } from "../../src/kms/open-kms.ts";
import { setVariable } from "../rig/aws-credentials.ts";
import { failureCode } from "../rig/failure-code.ts";
import { GcpFake } from "../rig/gcp-fake.ts";
import { useGcpMetadata } from "../rig/gcp-environment.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const context = dataContext({ tenant: "t1" });

describe("access tokens for Cloud KMS, from a fake metadata server", () => {
  const folder = useScratchFolder();
  let pki: TestPki;
  let service: GcpFake;
  const ends: (() => Promise<void>)[] = [];

  before(async () => {
    pki = await createTestPki();
  });
  beforeEach(async () => {
    service = await GcpFake.start(await pki.issue({ name: "kms", ip: ["127.0.0.1"], usage: "server" }));
  });
  useGcpMetadata(() => service.metadata.host, folder);
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await service.stop();
  });

  async function openTokens(): Promise<GoogleTokens> {
    const tokens = await GoogleTokens.open();
    ends.push(() => tokens.close());
    return tokens;
  }

  it("fetches one token for many who ask at once, and keeps it", async () => {
    const tokens = await openTokens();
    const got = await Promise.all(Array.from({ length: 20 }, () => tokens.current()));
    expect(new Set([...got, await tokens.current()]).size).to.equal(1);
    expect(service.metadata.issued).to.equal(1);
  });

  it("fetches another in place of one that was refused, once for all who were refused", async () => {
    const tokens = await openTokens();
    const first = await tokens.current();
    const next = await Promise.all([tokens.after(first), tokens.after(first), tokens.after(first)]);
    expect(new Set(next).size).to.equal(1);
    expect(next[0]).not.to.equal(first);
    expect(await tokens.current()).to.equal(next[0]);
    expect(service.metadata.issued).to.equal(2);
  });

  it("runs no program to learn anything", async () => {
    const program = join(folder(), "gcloud");
    writeFileSync(program, '#!/bin/sh\necho ran > "$0.ran"\n', { mode: 0o755 });
    const path = process.env["PATH"];
    setVariable("PATH", `${folder()}:${path ?? ""}`);
    try {
      await (await openTokens()).current();
    } finally {
      setVariable("PATH", path);
    }
    expect(existsSync(`${program}.ran`)).to.equal(false);
  });

  it("is out of reach where no token is to be had", async () => {
    service.metadata.failure = 404;
    const tokens = await openTokens();
    expect(await failureCode(() => tokens.current())).to.equal("kms_unavailable");
    service.metadata.failure = undefined;
    expect(await tokens.current()).to.match(/^ya29\./);
  });

  it("wraps and unwraps by the configuration alone, and goes on when tokens expire in mid-run", async () => {
    const ca = join(folder(), "ca.pem");
    writeFileSync(ca, pki.ca);
    const kms = await openKms(
      "gcp",
      { provider: "gcp", keyName: service.key.name, endpoint: service.endpoint, ca },
      { clock: systemClock, log: silentLog, metrics: noMetrics, random: Math.random },
    );
    ends.push(() => kms.close());
    const { plaintext, wrapped } = await kms.generate(context);
    service.metadata.revoke();
    expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    expect(service.metadata.issued).to.equal(2);
  });
});
