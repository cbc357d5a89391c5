import { chmodSync, writeFileSync } from "node:fs";
import { expect } from "chai";

import { dataContext } from "../../src/kms/context.ts";
import { failureCode } from "../rig/failure-code.ts";
import { FakeClock } from "../rig/fake-clock.ts";
import { useVaultRig } from "../rig/vault-rig.ts";

const context = dataContext({ tenant: "t1", dataset: "patients" });

describe("logging in to Vault", () => {
  const rig = useVaultRig();
  const logins = () => rig().fake.requests.filter(({ path }) => path.endsWith("/login"));

  it("is done once, at the first call, however many wait", async () => {
    const kms = await rig().open();
    expect(rig().fake.requests).to.deep.equal([]);
    await Promise.all(Array.from({ length: 20 }, () => kms.generate(context)));
    expect(logins()).to.have.length(1);
  });

  it("approle: shows role and secret id, read anew each time", async () => {
    const kms = await rig().open();
    await kms.generate(context);
    rig().file("secret-id", "secret-2");
    rig().fake.tokens.clear();
    await kms.generate(context);
    expect(logins().map(({ path, message }) => ({ path, ...message }))).to.deep.equal([
      { path: "auth/approle/login", role_id: "role-1", secret_id: "secret-1" },
      { path: "auth/approle/login", role_id: "role-1", secret_id: "secret-2" },
    ]);
  });

  it("kubernetes: shows the role and the service account's token, of whatever mode its file is", async () => {
    const tokenFile = rig().file("jwt", "aaa.bbb.ccc");
    chmodSync(tokenFile, 0o644);
    const kms = await rig().open({ auth: { method: "kubernetes", role: "app", tokenFile, mount: "clusters/one" } });
    await kms.generate(context);
    writeFileSync(tokenFile, "ddd.eee.fff");
    rig().fake.tokens.clear();
    await kms.generate(context);
    expect(logins().map(({ path, message }) => ({ path, ...message }))).to.deep.equal([
      { path: "auth/clusters/one/login", role: "app", jwt: "aaa.bbb.ccc" },
      { path: "auth/clusters/one/login", role: "app", jwt: "ddd.eee.fff" },
    ]);
  });

  it("cert: shows a certificate in TLS, and another one once the files have changed", async () => {
    const write = async (name: string) => {
      const { cert, key } = await rig().pki.issue({ name, usage: "client" });
      return { cert: rig().file("client.pem", cert), key: rig().file("client.key", key) };
    };
    const kms = await rig().open({ auth: { method: "cert", role: "web", ...(await write("first")) } });
    await kms.generate(context);
    await write("second");
    rig().fake.tokens.clear();
    await kms.generate(context);
    expect(logins().map(({ client, message }) => ({ client, ...message }))).to.deep.equal([
      { client: "first", name: "web" },
      { client: "second", name: "web" },
    ]);
    expect(rig().fake.requests.at(-1)?.client).to.equal("second");
  });

  it("shows a certificate in TLS beside any other login", async () => {
    const { cert, key } = await rig().pki.issue({ name: "pod", usage: "client" });
    const client = { cert: rig().file("client.pem", cert), key: rig().file("client.key", key) };
    const auth = { method: "approle", roleId: "r", secretIdFile: rig().file("s", "s-1"), client } as const;
    await (await rig().open({ auth })).generate(context);
    expect(new Set(rig().fake.requests.map((request) => request.client))).to.deep.equal(new Set(["pod"]));
  });

  it("token: takes the one in the file, and another one as soon as it stands there", async () => {
    const [first, second] = [rig().fake.issue(), rig().fake.issue()];
    const auth = { method: "token", tokenFile: rig().file("token", `${first}\n`) } as const;
    const kms = await rig().open({ auth });
    await kms.generate(context);
    rig().file("token", second);
    await kms.generate(context);
    expect([
      ...new Set(
        rig()
          .fake.asked("transit/")
          .map(({ token }) => token),
      ),
    ]).to.deep.equal([first, second]);
  });

  it("token: uses one that may not look at itself", async () => {
    rig().fake.fault = ({ path }) =>
      path === "auth/token/lookup-self" ? { status: 403, body: { errors: ["permission denied"] } } : undefined;
    const auth = { method: "token", tokenFile: rig().file("token", rig().fake.issue()) } as const;
    await (await rig().open({ auth })).generate(context);
  });

  it("asks nothing of the key service without credentials, and calls that out of reach", async () => {
    const loose = rig().file("loose", "s.token");
    chmodSync(loose, 0o644);
    const files = [loose, rig().file("empty", ""), rig().file("two", "two words"), "no-such-file"];
    for (const tokenFile of files) {
      const kms = await rig().open({ auth: { method: "token", tokenFile } });
      expect(await failureCode(() => kms.generate(context)), tokenFile).to.equal("kms_unavailable");
    }
    expect(rig().fake.requests).to.deep.equal([]);
  });

  it("says of a refused login what a refused call says", async () => {
    const codes = new Map([
      [400, "kms_denied"],
      [403, "kms_denied"],
      [404, "kms_denied"],
      [429, "kms_unavailable"],
      [500, "kms_unavailable"],
      [503, "kms_unavailable"],
      [302, "kms_broken"],
      [200, "kms_broken"],
    ]);
    for (const [status, code] of codes) {
      rig().fake.fault = () => ({ status, body: { errors: ["invalid role or secret ID"] } });
      expect(await failureCode(async () => (await rig().open()).generate(context)), String(status)).to.equal(code);
    }
    const odd = [{}, { auth: null }, { auth: { client_token: "a\r\nb", lease_duration: 1, renewable: true } }];
    for (const body of odd) {
      rig().fake.fault = () => ({ status: 200, body });
      expect(await failureCode(async () => (await rig().open()).generate(context))).to.equal("kms_broken");
    }
  });

  it("is done again once for a refusal, which a token may have caused that was revoked", async () => {
    const kms = await rig().open();
    await kms.generate(context);
    rig().fake.tokens.clear();
    await Promise.all(Array.from({ length: 20 }, () => kms.generate(context)));
    expect(logins()).to.have.length(2);
  });

  it("is not done for every refusal where the caller is refused and not the token", async () => {
    const clock = new FakeClock();
    const kms = await rig().open({}, clock);
    await kms.generate(context);
    rig().fake.fault = ({ path }) =>
      path.startsWith("transit/") ? { status: 403, body: { errors: ["permission denied"] } } : undefined;
    for (let turn = 0; turn < 10; turn += 1)
      expect(await failureCode(() => kms.generate(context))).to.equal("kms_denied");
    expect(logins()).to.have.length(2);
    await clock.pass(5_000);
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_denied");
    expect(logins()).to.have.length(3);
    rig().fake.fault = () => undefined;
    await kms.generate(context);
  });

  it("is undone when the sidecar ends, but never for a token that others keep", async () => {
    const kms = await rig().open();
    await kms.generate(context);
    await kms.close();
    expect(rig().fake.tokens.size).to.equal(0);
    const auth = { method: "token", tokenFile: rig().file("token", rig().fake.issue()) } as const;
    const other = await rig().open({ auth });
    await other.generate(context);
    await other.close();
    expect(rig().fake.tokens.size).to.equal(1);
  });
});
