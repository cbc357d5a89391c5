import { spawnSync } from "node:child_process";
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect } from "chai";
import pkcs11js from "pkcs11js";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { dataContext, rootContext } from "../../src/kms/context.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { Pkcs11KmsConfig } from "../../src/kms/kms-config.ts";
import { openKms } from "../../src/kms/open-kms.ts";
import { openPkcs11Kms } from "../../src/kms/pkcs11/pkcs11.ts";
import { runInProcess, writeSidecarFolder } from "../app/cli/command-line.ts";
import { failureCode, failureOf } from "../rig/failure-code.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";
import { Pkcs11Calls } from "./stage/pkcs11-calls.ts";
import { SoftHsm } from "./stage/softhsm.ts";

const project = resolve(import.meta.dirname, "../..");
const context = dataContext({ tenant: "t1", dataset: "patients" });

describe("provider pkcs11, with SoftHSM2", function () {
  this.timeout(20_000);
  let hsm: SoftHsm;
  let events: string[];
  const opened: Kms[] = [];
  let library: Pkcs11Calls;

  const ports = () => ({
    clock: systemClock,
    log: { ...silentLog, warn: (event: string) => void events.push(event) },
    metrics: new RecordedMetrics(),
    random: Math.random,
    kek: "hsm",
  });
  const kept = (kms: Kms): Kms => {
    opened.push(kms);
    return kms;
  };
  const open = async (more: Partial<Pkcs11KmsConfig> = {}) => kept(await openPkcs11Kms(hsm.config(more), ports()));
  /** The same library, as another part of the process would use it. */
  const outsider = () => {
    const other = new pkcs11js.PKCS11();
    other.load(hsm.module);
    return other;
  };

  before(() => {
    library = new Pkcs11Calls();
  });
  after(() => library[Symbol.dispose]());
  beforeEach(async () => {
    events = [];
    hsm = await SoftHsm.start();
  });
  afterEach(async () => {
    library.clear();
    for (const kms of opened.splice(0)) await kms.close();
    await hsm[Symbol.asyncDispose]();
  });

  for (const mechanism of ["aes-gcm", "aes-key-wrap"] as const) {
    it(`${mechanism}: gives a key back under its own context, from its own key, unchanged, and never else`, async () => {
      hsm.addKey("other");
      const kms = await open({ mechanism });
      const { plaintext, wrapped } = await kms.generate(context);
      expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
      expect((await kms.unwrap(await kms.rewrap(wrapped, context), context)).equals(plaintext)).to.equal(true);
      for (const other of [dataContext({ tenant: "t2", dataset: "patients" }), rootContext])
        expect(await failureCode(() => kms.unwrap(wrapped, other))).to.equal("kms_not_mine");
      const another = await open({ mechanism, key: "other" });
      expect(await failureCode(() => another.unwrap(wrapped, context))).to.equal("kms_not_mine");
      for (let index = 0; index < wrapped.length; index += 1) {
        const changed = Buffer.from(wrapped);
        changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
        expect(await failureCode(() => kms.unwrap(changed, context)), `byte ${index}`).to.equal("kms_not_mine");
        expect(await failureCode(() => kms.unwrap(wrapped.subarray(0, index), context))).to.equal("kms_not_mine");
      }
      expect((await kms.unwrap(wrapped, context)).equals(plaintext), "not broken by it").to.equal(true);
      expect(events, "nothing lost").to.deep.equal([]);
    });
  }

  it("leaves the wraps of one mechanism to that mechanism", async () => {
    const [gcm, keyWrap] = [await open(), await open({ mechanism: "aes-key-wrap" })];
    const [a, b] = [await gcm.generate(context), await keyWrap.generate(context)];
    expect([a.wrapped.length, b.wrapped.length]).to.deep.equal([61, 73]);
    expect(await failureCode(() => keyWrap.unwrap(a.wrapped, context))).to.equal("kms_not_mine");
    expect(await failureCode(() => gcm.unwrap(b.wrapped, context))).to.equal("kms_not_mine");
  });

  it("refuses keys that are missing, doubled, short, readable or free to leave", async () => {
    hsm.addKey("twice");
    hsm.addKey("twice");
    hsm.addKey("short", { type: "AES:16" });
    hsm.addKey("readable", { readable: true });
    hsm.addKey("free", { extractable: true });
    for (const key of ["none", "twice", "short", "readable", "free"]) {
      const kms = await open({ key });
      expect(await failureCode(() => kms.generate(context)), key).to.equal("kms_denied");
    }
  });

  it("refuses a token whose label two have, and waits for one that is not there", async () => {
    const late = await open({ token: "late" });
    expect(await failureCode(() => late.generate(context))).to.equal("kms_unavailable");
    hsm.addToken("late");
    hsm.addKey("kek", {}, "late");
    await late.generate(context);
    hsm.addToken("late");
    const doubled = await open({ token: "late" });
    const resetter = await open();
    await resetter.generate(context);
    outsider().C_Finalize();
    expect(await failureCode(() => doubled.generate(context))).to.be.oneOf(["kms_unavailable", "kms_denied"]);
    expect(await failureCode(() => doubled.generate(context))).to.equal("kms_denied");
  });

  it("tries a wrong PIN once, whoever asks, and goes on when the file has the right one", async () => {
    await hsm.writePin("000000");
    const tries = library.count("C_Login");
    const [one, two] = [await open(), await open()];
    for (const kms of [one, one, two, one])
      expect(await failureCode(() => kms.generate(context))).to.equal("kms_denied");
    expect(tries.calls, "tries").to.equal(1);
    await hsm.writePin("111111");
    expect(await failureCode(() => two.generate(context))).to.equal("kms_denied");
    expect(tries.calls, "tries").to.equal(2);
    await hsm.writePin(hsm.pin);
    await one.generate(context);
    await two.generate(context);
  });

  it("leaves the last try of a PIN to people", async () => {
    const tries = library.count("C_Login");
    for (const flag of [pkcs11js.CKF_USER_PIN_FINAL_TRY, pkcs11js.CKF_USER_PIN_LOCKED]) {
      library.rule("C_GetTokenInfo", (original, args) => {
        const info = original(args) as { readonly flags: number };
        return { ...info, flags: info.flags | flag };
      });
      const kms = await open();
      expect(await failureCode(() => kms.generate(context))).to.equal("kms_denied");
    }
    expect(tries.calls).to.equal(0);
  });

  it("refuses a PIN file that others can read, that is empty, long or not there", async () => {
    await chmod(hsm.pinFile, 0o644);
    expect(await failureCode(async () => (await open()).generate(context))).to.equal("key_file");
    for (const text of ["", "\n", "1234\n5678\n", "1".repeat(300)]) {
      await writeFile(hsm.pinFile, text);
      await chmod(hsm.pinFile, 0o640);
      expect(await failureCode(async () => (await open()).generate(context)), text.slice(0, 9)).to.equal("key_file");
    }
    const gone = await open({ pinFile: join(hsm.folder, "gone") });
    expect(await failureCode(() => gone.generate(context))).to.equal("key_file");
  });

  const resets: Readonly<Record<string, (other: InstanceType<typeof pkcs11js.PKCS11>) => void>> = {
    "the library is finalised": (other) => other.C_Finalize(),
    "all sessions are closed": (other) => {
      for (const slot of other.C_GetSlotList(true)) other.C_CloseAllSessions(slot);
    },
    "the user is logged out": (other) => {
      const [slot] = other.C_GetSlotList(true);
      if (slot === undefined) throw new Error("no slot");
      const session = other.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION);
      other.C_Logout(session);
      other.C_CloseSession(session);
    },
  };
  for (const [what, reset] of Object.entries(resets)) {
    it(`goes on within the same call after ${what}`, async () => {
      for (const mechanism of ["aes-gcm", "aes-key-wrap"] as const) {
        const kms = await open({ mechanism });
        const { plaintext, wrapped } = await kms.generate(context);
        for (let round = 0; round < 3; round += 1) {
          reset(outsider());
          expect((await kms.unwrap(wrapped, context)).equals(plaintext), mechanism).to.equal(true);
          reset(outsider());
          await kms.generate(context);
        }
      }
      expect(new Set(events)).to.deep.equal(new Set(["kms_token_lost"]));
    });
  }

  it("is out of reach while the token is gone, and calls what another key of the same name wrapped not its own", async () => {
    const kms = await open();
    const { wrapped } = await kms.generate(context);
    for (const token of await readdir(hsm.tokens)) await rm(join(hsm.tokens, token), { recursive: true });
    outsider().C_Finalize();
    for (let round = 0; round < 3; round += 1)
      expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_unavailable");
    hsm.addToken("app");
    expect(await failureCode(() => kms.unwrap(wrapped, context)), "a token without its key").to.equal("kms_denied");
    hsm.addKey("kek");
    expect(await failureCode(() => kms.unwrap(wrapped, context)), "another key").to.equal("kms_not_mine");
    const { plaintext, wrapped: anew } = await kms.generate(context);
    expect((await kms.unwrap(anew, context)).equals(plaintext)).to.equal(true);
  });

  it("takes a device that fails every call for out of reach, never for bytes that are not its own", async () => {
    const kms = await open();
    const { plaintext, wrapped } = await kms.generate(context);
    const general = new pkcs11js.Pkcs11Error("CKR_GENERAL_ERROR:5");
    library.rule("C_DecryptAsync", () => Promise.reject(general));
    expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_unavailable");
    library.clear();
    expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
  });

  it("uses no library that takes the context and does not bind it", async () => {
    for (const name of ["C_EncryptInit", "C_DecryptInit"]) library.rule(name, withoutContext);
    const kms = await open();
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_broken");
  });

  it("answers 200 at once on as many sessions as it may have, each with its own", async () => {
    for (const mechanism of ["aes-gcm", "aes-key-wrap"] as const) {
      const sessions = library.count("C_OpenSession");
      const kms = await open({ mechanism, sessions: 3 });
      const made = await Promise.all(Array.from({ length: 200 }, () => kms.generate(context)));
      const back = await Promise.all(made.map(({ wrapped }) => kms.unwrap(wrapped, context)));
      expect(back.every((key, index) => made[index]?.plaintext.equals(key))).to.equal(true);
      expect(new Set(made.map(({ plaintext }) => plaintext.toString("hex"))).size).to.equal(200);
      // One carries the login; the trial of the binding ends one.
      expect(sessions.calls).to.be.within(3, 5);
      library.clear();
    }
  });

  it("shares the library: two KEKs at work through resets, and one that closes leaves the other alone", async () => {
    hsm.addKey("second");
    const [one, two] = [await open(), await open({ key: "second", mechanism: "aes-key-wrap" })];
    const work = async (kms: Kms): Promise<void> => {
      for (let round = 0; round < 60; round += 1) {
        const { plaintext, wrapped } = await kms.generate(context);
        expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
      }
    };
    await Promise.all([work(one), work(two)]);
    // Between calls only: whoever finalises a library beneath others' calls may crash the process, here and anywhere.
    for (let round = 0; round < 5; round += 1) {
      outsider().C_Finalize();
      await Promise.all([work(one), work(two), work(one), work(two)]);
    }
    await one.close();
    await work(two);
    expect(await failureCode(() => one.generate(context))).to.equal("kms_unavailable");
    await two.close();
    expect(() => outsider().C_GetInfo(), "finalised").to.throw(pkcs11js.Pkcs11Error);
    await work(await open());
  });

  it("ends calls in time when the library hangs, finalises nothing beneath them, and goes on when it is back", async () => {
    const patience = { attemptMs: 150, attempts: 2, callMs: 400, backOffMs: 1, longestBackOffMs: 1 };
    const kms = kept(await openKms("hsm", hsm.config({ sessions: 2, patience }), ports()));
    const { plaintext, wrapped } = await kms.generate(context);
    const finalised = library.count("C_Finalize");
    const hung: (() => void)[] = [];
    library.rule("C_DecryptAsync", () => new Promise((settle) => hung.push(() => settle(Buffer.alloc(0)))));
    const began = Date.now();
    for (const code of await Promise.all([1, 2, 3, 4].map(() => failureCode(() => kms.unwrap(wrapped, context)))))
      expect(code).to.equal("kms_unavailable");
    expect(Date.now() - began).to.be.below(2000);
    expect(finalised.calls).to.equal(0);
    library.clear();
    for (const settle of hung) settle();
    const back = await eventually(() => kms.unwrap(wrapped, context));
    expect(back.equals(plaintext)).to.equal(true);
  });

  it("says what is missing: the library, or the optional package", async () => {
    const gone = hsm.config({ module: join(hsm.folder, "none.so") });
    const none = hsm.config({ module: process.execPath });
    for (const config of [gone, none])
      expect(await failureCode(() => openPkcs11Kms(config, ports()))).to.equal("kms_module");
    const hook = `import { registerHooks } from "node:module";
registerHooks({ resolve: (name, context, next) => next(name === "pkcs11js" ? "pkcs11js-is-not-here" : name, context) });`;
    const child = spawnSync(
      process.execPath,
      [
        "--import",
        `data:text/javascript,${encodeURIComponent(hook)}`,
        ...sealwright(),
        ...sealArguments(await sidecar()),
      ],
      { input: '"1"', encoding: "utf8" },
    );
    expect(codeOf(child.stdout), child.stderr).to.equal("kms_module");
  });

  it("says so from the bundle of the image, which carries no native code", async () => {
    const folder = join(hsm.folder, "dist");
    const built = spawnSync(process.execPath, [join(project, "src/app/image/write-bundle.ts"), folder], {
      encoding: "utf8",
    });
    expect(built.status, built.stderr).to.equal(0);
    const child = spawnSync(process.execPath, [join(folder, "sealwright.js"), ...sealArguments(await sidecar())], {
      input: '"1"',
      encoding: "utf8",
    });
    expect(codeOf(child.stdout), child.stderr).to.equal("kms_module");
  });

  it("serves a keyring by the commands", async () => {
    const config = await sidecar();
    const run = async (command: string, args: readonly string[] = [], stdin = ""): Promise<string> => {
      const ran = await runInProcess([...command.split(" "), "-c", config, ...args], stdin);
      expect(ran.code, ran.stderr).to.equal(0);
      return ran.stdout;
    };
    await run("check");
    await run("keys init");
    await run("keys add", ["--dataset", "patients", "--active"]);
    const sealed = await run("seal", place, '"078-05-1120"');
    expect(await run("open", place, sealed)).to.equal('"078-05-1120"\n');
    await run("keys rewrap");
    expect(await run("open", place, sealed)).to.equal('"078-05-1120"\n');
  });

  it("tells the PIN to nobody", async () => {
    await hsm.writePin("192837465");
    const error = await failureOf(async () => (await open()).generate(context));
    expect(JSON.stringify([error.facts, error.stack, String(error.cause)])).not.to.include("192837465");
  });

  const place = ["--dataset", "patients", "--tenant", "acme", "--field", "ssn", "--record", "7"];
  const sealwright = (): readonly string[] => [join(project, "src/app/cli/sealwright.js")];
  const sealArguments = (config: string): readonly string[] => ["seal", "-c", config, ...place, "--json"];

  /** A sidecar file whose KEK is the token's. */
  async function sidecar(): Promise<string> {
    const config = writeSidecarFolder(hsm.folder);
    const { module, token, key, pinFile } = hsm.config();
    const kms = `kms: { hsm: { provider: pkcs11, module: ${module}, token: ${token}, key: ${key}, pinFile: ${pinFile} } }`;
    const text = (await readFile(config, "utf8")).replace(/^kms: .*$/m, kms).replace("kek: dev", "kek: hsm");
    await writeFile(config, text);
    return config;
  }
});

function withoutContext(original: (args: unknown[]) => unknown, args: unknown[]): unknown {
  const [session, mechanism, key] = args as [unknown, { readonly parameter: object }, unknown];
  return original([session, { ...mechanism, parameter: { ...mechanism.parameter, aad: Buffer.alloc(0) } }, key]);
}

function codeOf(stdout: string): string {
  return (JSON.parse(stdout) as { error: { code: string } }).error.code;
}

async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (const limit = Date.now() + 5000; ;) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > limit) throw error;
      await new Promise((settle) => setTimeout(settle, 20));
    }
  }
}
