import { inspect } from "node:util";
import { expect } from "chai";

import { contextBytes, dataContext, rootContext } from "../../src/kms/context.ts";
import { failureCode, failureOf } from "../rig/failure-code.ts";
import { FakeClock } from "../rig/fake-clock.ts";
import { VaultFake, type VaultReply } from "../rig/vault-fake.ts";
import { useVaultRig } from "../rig/vault-rig.ts";

const context = dataContext({ tenant: "t1", dataset: "patients" });
const other = dataContext({ tenant: "t2", dataset: "patients" });
const verbs = ["datakey/plaintext", "decrypt", "encrypt", "rewrap"] as const;

describe("Vault's transit", () => {
  const rig = useVaultRig();

  it("generates, wraps, unwraps and rewraps under the key and the context of the scope", async () => {
    const kms = await rig().open({ namespace: "hospital/cardiology" });
    const { plaintext, wrapped } = await kms.generate(context);
    expect(wrapped.toString()).to.match(/^vault:v1:/);
    expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    const again = await kms.wrap(plaintext, context);
    const key = rig().fake.keys.get("patients");
    if (key !== undefined) key.latest = 2;
    const anew = await kms.rewrap(again, context);
    expect(anew.toString()).to.match(/^vault:v2:/);
    expect((await kms.unwrap(anew, context)).equals(plaintext)).to.equal(true);
    expect(await failureCode(() => kms.unwrap(anew, other))).to.equal("kms_not_mine");
    expect(await failureCode(() => kms.rewrap(anew, other))).to.equal("kms_not_mine");
    for (const verb of verbs) {
      const contexts = rig()
        .fake.asked(`transit/${verb}/patients`)
        .map(({ message }) => message["context"]);
      expect(contexts, verb).to.include(contextBytes(context).toString("base64"));
    }
    expect(new Set(rig().fake.requests.map(({ namespace }) => namespace))).to.deep.equal(
      new Set(["hospital/cardiology"]),
    );
  });

  describe("binds contexts", () => {
    it("proves it once, with calls that a user of the key may make anyway", async () => {
      const kms = await rig().open();
      const { wrapped } = await kms.generate(context);
      await kms.unwrap(wrapped, context);
      await kms.generate(other);
      expect(
        rig()
          .fake.asked("transit/")
          .map(({ path }) => path),
      ).to.deep.equal([
        "transit/datakey/plaintext/patients",
        "transit/decrypt/patients",
        "transit/decrypt/patients",
        "transit/datakey/plaintext/patients",
      ]);
    });

    it("refuses a key that is not derived, whatever is asked first, and gives it no key to wrap", async () => {
      rig().fake.keys.set("flat", { derived: false, latest: 1 });
      const asked = await rig().open({ key: "flat" });
      rig().fake.fault = ({ message }) =>
        message["context"] === contextBytes({ purpose: "probe", sealwright: "v1" }).toString("base64")
          ? { status: 400, body: { errors: ["cipher: message authentication failed"] } }
          : undefined;
      const { wrapped } = await asked.generate(context);
      rig().fake.fault = () => undefined;
      const calls = [
        async () => (await rig().open({ key: "flat" })).generate(context),
        async () => (await rig().open({ key: "flat" })).unwrap(wrapped, context),
        async () => (await rig().open({ key: "flat" })).rewrap(wrapped, context),
        async () => (await rig().open({ key: "flat" })).wrap(Buffer.alloc(32, 1), context),
      ];
      for (const call of calls) {
        const failure = await failureOf(call);
        expect([failure.code, failure.facts.reason]).to.deep.equal(["kms_broken", "key is not derived"]);
      }
      expect(rig().fake.asked("transit/encrypt")).to.deep.equal([]);
    });

    it("reads it of the key where the policy lists the contexts that may be named, else refuses", async () => {
      const probe = contextBytes({ purpose: "probe", sealwright: "v1" }).toString("base64");
      rig().fake.fault = ({ message }) =>
        message["context"] === probe ? { status: 403, body: { errors: ["permission denied"] } } : undefined;
      await (await rig().open()).generate(context);
      rig().fake.keys.set("flat", { derived: false, latest: 1 });
      expect(await failureCode(async () => (await rig().open({ key: "flat" })).generate(context))).to.equal(
        "kms_broken",
      );
      rig().fake.fault = ({ message, path }) =>
        message["context"] === probe || path.includes("/keys/")
          ? { status: 403, body: { errors: ["permission denied"] } }
          : undefined;
      expect(await failureCode(async () => (await rig().open()).generate(context))).to.equal("kms_denied");
    });
  });

  it("never asks to encrypt under a key that is not there: with a lax policy that would make one", async () => {
    const kms = await rig().open({ key: "pateints" });
    for (const call of [() => kms.generate(context), () => kms.wrap(Buffer.alloc(32, 1), context)])
      expect(await failureCode(call)).to.equal("kms_denied");
    expect(rig().fake.asked("transit/encrypt")).to.deep.equal([]);
  });

  describe("says in the port's words", () => {
    const json = (status: number, ...errors: readonly string[]): VaultReply => ({ status, body: { errors } });
    const rows: readonly (readonly [VaultReply, string, string?])[] = [
      [json(400, "encryption key not found"), "kms_denied"],
      [json(400, "refusing to use soft-deleted key"), "kms_denied"],
      [json(400, "cipher: message authentication failed"), "kms_not_mine", "kms_broken"],
      [json(400, "chacha20poly1305: message authentication failed"), "kms_not_mine", "kms_broken"],
      [json(400, "invalid ciphertext: version is too new"), "kms_not_mine", "kms_broken"],
      [json(400, "invalid ciphertext: no prefix"), "kms_not_mine", "kms_broken"],
      [json(400, "illegal base64 data at input byte 4"), "kms_not_mine", "kms_broken"],
      [json(400, "ciphertext or signature version is disallowed by policy (too old)"), "kms_not_mine", "kms_broken"],
      [json(400, "something to come"), "kms_broken"],
      [{ status: 400, body: "<html>encryption key not found</html>" }, "kms_broken"],
      [json(403, "1 error occurred:\n\t* permission denied\n\n"), "kms_denied"],
      [{ status: 403, body: "<html>no</html>" }, "kms_denied"],
      [json(401), "kms_denied"],
      [json(404, 'no handler for route "other/decrypt/patients"'), "kms_denied"],
      [{ status: 404, body: "<html>not here</html>" }, "kms_broken"],
      [json(405, "unsupported operation"), "kms_broken"],
      [json(412), "kms_unavailable"],
      [json(429, "rate limit quota exceeded"), "kms_unavailable"],
      [json(472), "kms_unavailable"],
      [json(473), "kms_unavailable"],
      [json(500, "internal error"), "kms_unavailable"],
      [json(503, "Vault is sealed"), "kms_unavailable"],
      [{ status: 502, body: "<html>bad gateway</html>" }, "kms_unavailable"],
      [{ status: 204 }, "kms_broken"],
    ];
    for (const [reply, unwrapping, generating = unwrapping] of rows)
      it(`${reply.status} ${JSON.stringify(reply.body)}: ${unwrapping}, ${generating}`, async () => {
        const kms = await rig().open();
        const { wrapped } = await kms.generate(context);
        rig().fake.fault = ({ path }) => (path.startsWith("transit/") ? reply : undefined);
        expect(await failureCode(() => kms.unwrap(wrapped, context)), "unwrap").to.equal(unwrapping);
        expect(await failureCode(() => kms.rewrap(wrapped, context)), "rewrap").to.equal(unwrapping);
        expect(await failureCode(() => kms.generate(context)), "generate").to.equal(generating);
        expect(await failureCode(() => kms.wrap(Buffer.alloc(32), context)), "wrap").to.equal(generating);
      });
  });

  describe("believes no odd answer", () => {
    const key = Buffer.alloc(32, 9).toString("base64");
    const ciphertext = `vault:v1:${Buffer.alloc(60, 7).toString("base64")}`;
    const oddKeys: readonly unknown[] = [
      undefined,
      null,
      7,
      "",
      Buffer.alloc(31).toString("base64"),
      Buffer.alloc(33).toString("base64"),
      Buffer.alloc(32).toString("base64url"),
      `${key}\n`,
      [key],
      "x".repeat(100_000),
    ];
    const oddWraps: readonly Readonly<Record<string, unknown>>[] = [
      {},
      { ciphertext: 7 },
      { ciphertext: "" },
      { ciphertext: "vault:v0:AAAA" },
      { ciphertext: "vault:v01:AAAA" },
      { ciphertext: "vault:v1:AAA" },
      { ciphertext: "vault:v1:AAA_" },
      { ciphertext: "VAULT:v1:AAAA" },
      { ciphertext: `${ciphertext}\n` },
      { ciphertext: `vault:v1:${"A".repeat(4000)}` },
      { ciphertext, key_version: 2 },
      { ciphertext, key_version: "1" },
    ];

    it("for a key", async () => {
      const kms = await rig().open();
      const { wrapped } = await kms.generate(context);
      for (const plaintext of oddKeys) {
        rig().fake.edit = (reply) => ({ ...reply, body: { data: { plaintext, ciphertext, key_version: 1 } } });
        const what = JSON.stringify({ plaintext }).slice(0, 60);
        expect(await failureCode(() => kms.unwrap(wrapped, context)), what).to.equal("kms_broken");
        expect(await failureCode(() => kms.generate(context)), what).to.equal("kms_broken");
      }
    });

    it("for a wrapped key", async () => {
      const kms = await rig().open();
      const { wrapped, plaintext } = await kms.generate(context);
      for (const data of oddWraps) {
        rig().fake.edit = (reply) => ({ ...reply, body: { data: { plaintext: key, ...data } } });
        const what = JSON.stringify(data).slice(0, 60);
        expect(await failureCode(() => kms.generate(context)), what).to.equal("kms_broken");
        expect(await failureCode(() => kms.rewrap(wrapped, context)), what).to.equal("kms_broken");
        expect(await failureCode(() => kms.wrap(plaintext, context)), what).to.equal("kms_broken");
      }
    });

    it("of a megabyte, of no JSON, or of another shape", async () => {
      const kms = await rig().open();
      const { wrapped } = await kms.generate(context);
      const bodies = [`{"data":{"plaintext":"${key}","x":"${"y".repeat(1 << 20)}"}}`, "{", "[]", '"text"', "null"];
      for (const body of bodies) {
        rig().fake.edit = () => ({ status: 200, body });
        expect(await failureCode(() => kms.unwrap(wrapped, context)), body.slice(0, 20)).to.equal("kms_broken");
      }
    });
  });

  it("follows no redirect: nothing of it, the token least of all, reaches the place that an answer names", async () => {
    await using elsewhere = await VaultFake.start(
      await rig().pki.issue({ name: "elsewhere", ip: ["127.0.0.1"], usage: "server" }),
    );
    const kms = await rig().open();
    const { wrapped } = await kms.generate(context);
    const codes = new Map([
      [301, "kms_broken"],
      [302, "kms_broken"],
      [307, "kms_unavailable"],
      [308, "kms_broken"],
    ]);
    for (const [status, code] of codes) {
      const location = `${elsewhere.address}/v1/transit/decrypt/patients`;
      rig().fake.fault = () => ({ status, headers: { location } });
      expect(await failureCode(() => kms.unwrap(wrapped, context)), String(status)).to.equal(code);
    }
    expect(elsewhere.requests).to.deep.equal([]);
  });

  it("leaves a service alone for as long as that asks, up to a minute", async () => {
    const clock = new FakeClock();
    const kms = await rig().open({}, clock);
    const { wrapped } = await kms.generate(context);
    for (const [seconds, waited] of [
      ["7", 7_000],
      ["86400", 60_000],
    ] as const) {
      rig().fake.fault = () => ({ status: 429, body: { errors: [] }, headers: { "retry-after": seconds } });
      expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_unavailable");
      rig().fake.fault = () => undefined;
      const before = rig().fake.requests.length;
      await clock.pass(waited - 1);
      expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_unavailable");
      expect(rig().fake.requests.length).to.equal(before);
      await clock.pass(1);
      await kms.unwrap(wrapped, context);
    }
  });

  it("sends nothing that transit cannot have made", async () => {
    const kms = await rig().open();
    const odd = [
      "",
      "vault:",
      "vault:v1:",
      "vault:v1:AAA\n",
      "vault:v1:../../sys/seal",
      "\u00ffault:v1:AAAA",
      "x".repeat(70_000),
    ];
    for (const text of odd)
      expect(await failureCode(() => kms.unwrap(Buffer.from(text, "latin1"), context)), text.slice(0, 30)).to.equal(
        "kms_not_mine",
      );
    expect(rig().fake.requests).to.deep.equal([]);
  });

  it("opens with no address or name that could lead a call elsewhere", async () => {
    const auth = { method: "kubernetes", role: "app" } as const;
    const wrong = [
      { address: "http://vault.example:8200" },
      { address: "https://vault.example/v1" },
      { address: "https://user@vault.example" },
      { mount: "" },
      { mount: "/transit" },
      { mount: "transit/" },
      { mount: "../sys" },
      { mount: "a/../b" },
      { mount: "transit?x" },
      { key: "a/b" },
      { key: ".." },
      { key: "k%2f" },
      { key: "" },
      { namespace: "a\r\nx: y" },
      { auth: { ...auth, role: "a\nb" } },
      { auth: { ...auth, mount: "../token" } },
      { address: "http://127.0.0.1:8200", auth: { method: "cert", cert: "c", key: "k" } as const },
    ];
    for (const more of wrong)
      expect(await failureCode(() => rig().open(more)), JSON.stringify(more)).to.equal("config_invalid");
    expect(await failureCode(() => rig().open({ ca: "no-such-file" }))).to.equal("file_unreadable");
  });

  it("tells no token, key or wrap in what it throws", async () => {
    const kms = await rig().open();
    const { plaintext, wrapped } = await kms.generate(rootContext);
    const failures = [await failureOf(() => kms.unwrap(wrapped, context))];
    for (const status of [200, 302, 400, 403, 404, 500]) {
      rig().fake.fault = ({ token }) => ({ status, body: { errors: [`no ${token ?? ""}`, wrapped.toString()] } });
      failures.push(await failureOf(() => kms.wrap(plaintext, context)));
    }
    const secrets = ["s.issued", "secret-1", plaintext.toString("base64"), wrapped.toString("latin1").slice(9)];
    for (const failure of failures) {
      const shown = inspect(failure, { depth: 12, maxStringLength: 100_000 });
      for (const secret of secrets) expect(shown.includes(secret), `${failure.code} ${secret}`).to.equal(false);
    }
  });
});
