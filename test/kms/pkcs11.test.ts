import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { PKCS11 } from "pkcs11js";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { contextDigest, endsWithDigest } from "../../src/kms/pkcs11/context-digest.ts";
import { dataContext, rootContext } from "../../src/kms/context.ts";
import { openPkcs11Kms } from "../../src/kms/pkcs11/pkcs11.ts";
import type { Pkcs11Binding } from "../../src/kms/pkcs11/pkcs11-binding.ts";
import { pkcs11Name, pkcs11Verdict } from "../../src/kms/pkcs11/pkcs11-error.ts";
import { Pkcs11Library } from "../../src/kms/pkcs11/pkcs11-library.ts";
import { runInProcess, writeSidecarFolder } from "../app/cli/command-line.ts";
import { failureCode } from "../rig/failure-code.ts";
import { FakeClock } from "../rig/fake-clock.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";
import { useScratchFolder } from "../rig/scratch-folder.ts";

/** A library that only knows whether it is initialised. */
class InitOnly {
  readonly calls: string[] = [];
  #initialised = false;

  C_Initialize(): void {
    this.calls.push("initialise");
    if (this.#initialised) throw new Error("CKR_CRYPTOKI_ALREADY_INITIALIZED:401");
    this.#initialised = true;
  }

  C_Finalize(): void {
    this.calls.push("finalise");
    if (!this.#initialised) throw new Error("CKR_CRYPTOKI_NOT_INITIALIZED:400");
    this.#initialised = false;
  }
}

describe("PKCS #11 (SoftHSM2 stands in test/real)", () => {
  const folder = useScratchFolder();

  it("reads the standard's names, with and without their number, and nothing else", () => {
    for (const [message, name] of [
      ["CKR_GENERAL_ERROR", "CKR_GENERAL_ERROR"],
      ["CKR_USER_NOT_LOGGED_IN:257", "CKR_USER_NOT_LOGGED_IN"],
      ["CKR_VENDOR_DEFINED:2147483649", "CKR_VENDOR_DEFINED"],
      ["cannot open CKR_GENERAL_ERROR", undefined],
      ["", undefined],
    ] as const)
      expect(pkcs11Name(new Error(message))).to.equal(name);
    expect(pkcs11Verdict(new Error("CKR_PIN_LOCKED:164"))).to.equal("denied");
    expect(pkcs11Verdict(new Error("CKR_DEVICE_REMOVED"))).to.equal("lost");
    expect(pkcs11Verdict(new Error("CKR_ENCRYPTED_DATA_INVALID"))).to.equal("not mine");
    expect(pkcs11Verdict(new Error("CKR_VENDOR_DEFINED:53"))).to.equal("unclear");
  });

  it("binds by a digest of the context where it has to", () => {
    const context = dataContext({ tenant: "t1", dataset: "patients" });
    const value = Buffer.concat([Buffer.alloc(32, 7), contextDigest(context)]);
    expect(endsWithDigest(value, context)).to.equal(true);
    for (const [bytes, other] of [
      [value, rootContext],
      [value, dataContext({ tenant: "t1" })],
      [value.subarray(0, -1), context],
      [Buffer.alloc(0), context],
    ] as const)
      expect(endsWithDigest(bytes, other)).to.equal(false);
  });

  it("initialises a library once for all, anew for who found it lost, and finalises it after the last", async () => {
    const native = new InitOnly();
    let forgotten = 0;
    const library = new Pkcs11Library({} as Pkcs11Binding, native as unknown as PKCS11, () => (forgotten += 1));
    library.join();
    library.join();
    await Promise.all([library.renew(0, systemClock), library.renew(0, systemClock), library.renew(0, systemClock)]);
    expect([library.generation, native.calls]).to.deep.equal([1, ["initialise"]]);
    // One found it lost; the other too, but later: that one is served already.
    native.C_Finalize();
    await library.renew(1, systemClock);
    await library.renew(1, systemClock);
    expect(library.generation).to.equal(2);
    await library.leave(systemClock);
    expect(forgotten).to.equal(0);
    await library.leave(systemClock);
    expect([forgotten, native.calls.at(-1)]).to.deep.equal([1, "finalise"]);
  });

  it("finalises nothing while a call is under way, and begins none meanwhile", async () => {
    const native = new InitOnly();
    const clock = new FakeClock();
    const library = new Pkcs11Library({} as Pkcs11Binding, native as unknown as PKCS11, () => undefined);
    library.join();
    await library.renew(0, clock);
    const order: string[] = [];
    let end: () => void = () => undefined;
    const first = library.run(() => new Promise<void>((resolve) => (end = resolve)));
    const renewed = library.renew(1, clock).then(() => order.push("renewed"));
    const second = library.run(() => void order.push("second"));
    await new Promise((settle) => setImmediate(settle));
    expect([order, native.calls]).to.deep.equal([[], ["initialise"]]);
    end();
    await Promise.all([first, renewed, second]);
    expect(order).to.deep.equal(["renewed", "second"]);

    void library.run(() => new Promise<void>(() => undefined));
    const refused = failureCode(() => library.renew(2, clock));
    await clock.pass(1000);
    expect(await refused).to.equal("kms_unavailable");
    expect(native.calls.filter((call) => call === "finalise")).to.have.length(1);
  });

  it("says that there is no library, or none of the standard", async () => {
    const ports = {
      clock: systemClock,
      log: silentLog,
      metrics: new RecordedMetrics(),
      random: Math.random,
      kek: "hsm",
    };
    for (const module of [join(folder(), "none.so"), process.execPath]) {
      const config = { provider: "pkcs11", module, token: "app", key: "kek", pinFile: "pin" } as const;
      expect(await failureCode(() => openPkcs11Kms(config, ports)), module).to.equal("kms_module");
    }
  });

  it("is configured without the token's label taken for a secret, and with a PIN file that others cannot read", async () => {
    const config = writeSidecarFolder(folder());
    const kms = "kms: { dev: { provider: pkcs11, module: lib.so, token: app, key: kek, pinFile: pin } }";
    writeFileSync(config, readFileSync(config, "utf8").replace(/^kms: .*$/m, kms));
    for (const file of ["lib.so", "pin"]) writeFileSync(join(folder(), file), "1234");
    chmodSync(join(folder(), "pin"), 0o640);
    const checked = await runInProcess(["check", "-c", config]);
    expect(checked.code, checked.stderr).to.equal(0);
    chmodSync(join(folder(), "pin"), 0o644);
    expect((await runInProcess(["check", "-c", config])).code).to.equal(1);
    writeFileSync(config, readFileSync(config, "utf8").replace("token: app", `token: hvs.${"a1B2c3D4".repeat(3)}`));
    chmodSync(join(folder(), "pin"), 0o600);
    expect((await runInProcess(["check", "-c", config, "--json"])).stdout).to.include("secret-in-file");
  });
});
