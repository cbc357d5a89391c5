import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { dataContext, rootContext } from "../../src/kms/context.ts";
import type { RecoveryKmsConfig } from "../../src/kms/kms-config.ts";
import { openKms } from "../../src/kms/open-kms.ts";
import { createRecoveryKey, openRecoveryKms } from "../../src/kms/recovery/recovery.ts";
import { parseRecoveryRecipient, printRecoveryRecipient } from "../../src/kms/recovery/recovery-key.ts";
import { failureCode } from "../rig/failure-code.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

const context = dataContext({ tenant: "t1", dataset: "patients" });

describe("recovery key", () => {
  const folder = useScratchFolder();
  let recipient: string;
  let secretFile: string;

  beforeEach(async () => {
    secretFile = join(folder(), "secret.txt");
    recipient = await createRecoveryKey(secretFile);
  });

  it("wraps without the secret, and unwraps with it under the same context only", async () => {
    const inPod = await openRecoveryKms({ provider: "recovery", recipient });
    const key = Buffer.alloc(32, 3);
    const wrapped = await inPod.wrap(key, context);
    expect(key.equals(Buffer.alloc(32, 3)), "left as it was").to.equal(true);
    expect([inPod.canUnwrap, wrapped.length]).to.deep.equal([false, 81]);
    for (const call of [() => inPod.unwrap(wrapped, context), () => inPod.rewrap(wrapped, context)])
      expect(await failureCode(call)).to.equal("kms_not_mine");

    const fromSafe = await openRecoveryKms({ provider: "recovery", recipient, secretFile });
    expect(fromSafe.canUnwrap).to.equal(true);
    expect((await fromSafe.unwrap(wrapped, context)).equals(key)).to.equal(true);
    for (const other of [
      dataContext({ tenant: "t2", dataset: "patients" }),
      dataContext({ tenant: "t1" }),
      rootContext,
    ])
      expect(await failureCode(() => fromSafe.unwrap(wrapped, other))).to.equal("kms_not_mine");
  });

  it("never wraps twice to the same bytes", async () => {
    const kms = await openRecoveryKms({ provider: "recovery", recipient });
    const wraps = await Promise.all([1, 2, 3].map(() => kms.wrap(Buffer.alloc(32, 3), context)));
    expect(new Set(wraps.map((wrap) => wrap.toString("hex"))).size).to.equal(3);
  });

  it("writes the secret for nobody else, never over a file, in words that people can type", async () => {
    expect(statSync(secretFile).mode & 0o777).to.equal(0o600);
    expect(await failureCode(() => createRecoveryKey(secretFile))).to.equal("file_exists");
    const lines = readFileSync(secretFile, "utf8").trimEnd().split("\n");
    const secret = lines.at(-1) ?? "";
    expect(secret).to.match(/^SWR-RECOVERY-SECRET-1[02-9AC-HJ-NP-Z]{58}$/);
    expect(lines.slice(0, -1).every((line) => line.startsWith("# "))).to.equal(true);
    expect(recipient).to.match(/^swr-recovery-1[02-9ac-hj-np-z]{58}$/);

    // Typed anew: in lower case, indented, with blank lines.
    writeFileSync(secretFile, `\n  ${secret.toLowerCase()}  \r\n\n`);
    const kms = await openRecoveryKms({ provider: "recovery", recipient, secretFile });
    const { plaintext, wrapped } = await kms.generate(context);
    expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
  });

  it("refuses secrets that are mistyped, cut, doubled, of another pair, or that others can read", async () => {
    const good = readFileSync(secretFile, "utf8");
    const secret = good.trimEnd().split("\n").at(-1) ?? "";
    const wrong = secret.replace(/.$/, (last) => (last === "Q" ? "P" : "Q"));
    for (const text of [
      wrong,
      secret.slice(0, -1),
      "",
      "# none\n",
      `${secret}\n${secret}`,
      recipient,
      "x".repeat(5000),
    ]) {
      writeFileSync(secretFile, text);
      expect(await failureCode(() => openRecoveryKms({ provider: "recovery", recipient, secretFile })), text).to.equal(
        "key_file",
      );
    }
    writeFileSync(secretFile, good);
    const another = await createRecoveryKey(join(folder(), "other.txt"));
    const open = (config: Omit<RecoveryKmsConfig, "provider">) => () =>
      openRecoveryKms({ provider: "recovery", ...config });
    expect(await failureCode(open({ recipient: another, secretFile }))).to.equal("config_invalid");
    expect(await failureCode(open({ recipient, secretFile: join(folder(), "gone.txt") }))).to.equal("key_file");
    chmodSync(secretFile, 0o640);
    expect(await failureCode(open({ recipient, secretFile }))).to.equal("key_file");
  });

  it("refuses recipients that are mistyped, and those to which nothing can be sealed", async () => {
    const changed = recipient.replace(/.$/, (last) => (last === "q" ? "p" : "q"));
    expect(parseRecoveryRecipient(changed)).to.equal(undefined);
    // Points of small order: everybody knows the shared secret (RFC 7748 section 6.1).
    const smallOrder = ["00".repeat(32), `01${"00".repeat(31)}`].map((hex) =>
      printRecoveryRecipient(Buffer.from(hex, "hex")),
    );
    for (const text of [changed, "swr-recovery-1", ...smallOrder])
      expect(await failureCode(() => openRecoveryKms({ provider: "recovery", recipient: text })), text).to.equal(
        "config_invalid",
      );
  });

  it("says at every start that the secret is in use", async () => {
    for (const [config, told] of [
      [{ provider: "recovery", recipient }, []],
      [{ provider: "recovery", recipient, secretFile }, ["kms_recovery_secret_in_use"]],
    ] as const) {
      const events: string[] = [];
      const log = { ...silentLog, warn: (event: string) => void events.push(event) };
      const ports = { clock: systemClock, log, metrics: new RecordedMetrics(), random: Math.random };
      await (await openKms("safe", config, ports)).close();
      expect(events).to.deep.equal(told);
    }
  });
});
