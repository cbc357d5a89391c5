import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { keyIdOf } from "../../src/crypto/key-derivation.ts";
import type { InlineReference } from "../../src/crypto/types.ts";
import { dataContext } from "../../src/kms/context.ts";
import { InlineRewrap } from "../../src/keys/life-cycle/inline-rewrap.ts";
import { failureCode } from "../rig/failure-code.ts";
import { FakeKms } from "../rig/fake-kms.ts";

const scope = { tenant: "acme", dataset: "patients" };

describe("new wraps of inline keys", () => {
  let kms: FakeKms;
  let other: FakeKms;
  const reference = async (under = scope): Promise<InlineReference> => {
    const { plaintext, wrapped } = await kms.generate(dataContext(under));
    return { form: "inline", id: keyIdOf(plaintext), kek: "main", wrapped };
  };
  const rewrap = (more: { readonly to?: string } = {}): InlineRewrap =>
    new InlineRewrap(
      new Map([
        ["main", kms],
        ["other", other],
      ]),
      { scopes: [{ ...scope, dataset: "former" }, scope], ...more },
    );

  beforeEach(() => {
    kms = new FakeKms();
    other = new FakeKms();
  });

  it("asks the key service once for each wrap, however many values wait for it", async () => {
    const [wraps, old] = [rewrap(), await reference()];
    const answers = await Promise.all(Array.from({ length: 50 }, async () => wraps.renewed(old)));
    expect(new Set(answers).size).to.equal(1);
    expect(await wraps.renewed({ ...old })).to.equal(answers[0]);
    expect(answers[0]?.wrapped.equals(old.wrapped)).to.equal(false);
    // One for each of the two scopes that were tried.
    expect(kms.count("rewrap")).to.equal(2);
  });

  it("tries first what fitted last", async () => {
    const wraps = rewrap();
    for (let n = 0; n < 5; n += 1) await wraps.renewed(await reference());
    expect(kms.count("rewrap")).to.equal(6);
  });

  it("uses no wrap that gives another key than the value names", async () => {
    const [wraps, one, two] = [rewrap(), await reference(), await reference()];
    expect(await failureCode(() => wraps.renewed({ ...one, id: two.id }))).to.equal("open_failed");
    expect(await failureCode(() => wraps.renewed({ ...one, id: two.id }))).to.equal("open_failed");
    expect((await wraps.renewed(one)).id.equals(one.id)).to.equal(true);
  });

  it("uses no new wrap that does not give the key back", async () => {
    const [wraps, old] = [rewrap(), await reference()];
    kms.editUnwrapped = (plaintext) => {
      plaintext[0] = (plaintext[0] ?? 0) ^ 1;
      return plaintext;
    };
    expect(await failureCode(() => wraps.renewed(old))).to.equal("open_failed");
  });

  it("asks again after an outage, and not about what is refused", async () => {
    const [wraps, old] = [rewrap(), await reference()];
    kms.before = () => {
      throw new SealwrightError("kms_unavailable");
    };
    expect(await failureCode(() => wraps.renewed(old))).to.equal("kms_unavailable");
    kms.before = () => undefined;
    expect((await wraps.renewed(old)).form).to.equal("inline");
    const foreign = await reference({ ...scope, tenant: "stranger" });
    for (let n = 0; n < 2; n += 1) expect(await failureCode(() => wraps.renewed(foreign))).to.equal("open_failed");
    const calls = kms.count("rewrap");
    expect(await failureCode(() => wraps.renewed(foreign))).to.equal("open_failed");
    expect(kms.count("rewrap")).to.equal(calls);
  });

  it("wraps under another KEK that opens here, and only there", async () => {
    const [wraps, old] = [rewrap({ to: "other" }), await reference()];
    const fresh = await wraps.renewed(old);
    expect(fresh.kek).to.equal("other");
    expect(await wraps.renewed(fresh)).to.equal(fresh);
    other.canUnwrap = false;
    expect(await failureCode(() => rewrap({ to: "other" }))).to.equal("config_invalid");
    expect(await failureCode(() => rewrap({ to: "none" }))).to.equal("config_invalid");
  });

  it("leaves no key's bytes behind", async () => {
    const [wraps, old] = [rewrap({ to: "other" }), await reference()];
    const generated = kms.given.length;
    await wraps.renewed(old);
    for (const bytes of [...kms.given.slice(generated), ...other.given])
      expect(bytes.every((b) => b === 0)).to.equal(true);
  });

  it("remembers wraps that nothing opens in little room, however long they are", async () => {
    const [wraps, { id }] = [rewrap(), await reference()];
    kms.before = () => {
      throw new SealwrightError("kms_not_mine");
    };
    const collected = (): number => {
      setFlagsFromString("--expose-gc");
      (runInNewContext("gc") as () => void)();
      return process.memoryUsage().heapUsed;
    };
    const before = collected();
    for (let n = 0; n < 500; n += 1) {
      const wrapped = Buffer.alloc(60_000, 1);
      wrapped.writeUInt32BE(n);
      await failureCode(() => wraps.renewed({ form: "inline", id, kek: "main", wrapped }));
    }
    expect((collected() - before) / 500).to.be.lessThan(10_000);
    expect(
      await failureCode(() => wraps.renewed({ form: "inline", id, kek: "main", wrapped: Buffer.alloc(60_000, 1) })),
    ).to.equal("open_failed");
  });
});
