import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { expect } from "chai";

import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { hasCode } from "../../src/base/sealwright-error.ts";
import { dataContext, rootContext } from "../../src/kms/context.ts";
import type { Kms } from "../../src/kms/kms.ts";
import type { VaultKmsConfig } from "../../src/kms/kms-config.ts";
import { openKms } from "../../src/kms/open-kms.ts";
import type { VaultAuth } from "../../src/kms/vault/vault-auth.ts";
import { vaultFindings } from "../../src/kms/vault/vault-findings.ts";
import { failureCode } from "../rig/failure-code.ts";
import { calm } from "../rig/kms-bench.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";
import { vaultPorts } from "../rig/vault-rig.ts";
import { documentedPolicy, type BaoRole } from "./stage/openbao-policies.ts";
import { OpenBao, usePolicy, type BaoTokenOrder } from "./stage/openbao.ts";

const context = dataContext({ tenant: "t1", dataset: "patients" });
const other = dataContext({ tenant: "t2", dataset: "patients" });

const pause = (ms: number): Promise<void> => new Promise((settle) => setTimeout(settle, ms));

describe("OpenBao, for real", function () {
  this.timeout(40_000);
  let bao: OpenBao;
  const opened: Kms[] = [];

  before(async () => {
    bao = await OpenBao.start();
    await bao.createKey("patients");
    await bao.writePolicy("use", usePolicy("patients"));
  });
  afterEach(async () => {
    for (const kms of opened.splice(0)) await kms.close();
  });
  after(() => bao[Symbol.asyncDispose]());

  async function open(config: VaultKmsConfig): Promise<Kms> {
    const ports = { clock: systemClock, log: silentLog, metrics: new RecordedMetrics(), random: Math.random };
    const patience = { backOffMs: 1, longestBackOffMs: 50, attempts: 1 };
    const kms = await openKms("main", { ...config, patience }, ports);
    opened.push(kms);
    return kms;
  }

  const tokenAuth = async (order: Partial<BaoTokenOrder> = {}): Promise<VaultAuth> => {
    const token = await bao.createToken({ policies: ["use"], ttl: "1h", ...order });
    return { method: "token", tokenFile: await bao.secretFile(token) };
  };

  it("serves who may only update, and nothing else that this caller may do", async () => {
    const kms = await open(bao.kek("patients", await tokenAuth({ no_default_policy: true })));
    const { plaintext, wrapped } = await kms.generate(context);
    expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    const own = await kms.wrap(plaintext, context);
    expect((await kms.unwrap(own, context)).equals(plaintext)).to.equal(true);
    expect(await failureCode(() => kms.unwrap(wrapped, other))).to.equal("kms_not_mine");
    expect(await failureCode(() => kms.unwrap(wrapped, rootContext))).to.equal("kms_not_mine");
  });

  describe("with the policies of its page", () => {
    const as = async (role: BaoRole): Promise<Kms> => {
      await bao.writePolicy(role, documentedPolicy(role));
      return open(bao.kek("patients", await tokenAuth({ policies: [role] })));
    };
    /** What each role is let do, by name of the call. */
    const lets = async (kms: Kms): Promise<readonly string[]> => {
      const wrapped = await (await as("key-administrator")).wrap(Buffer.alloc(32, 1), context);
      const calls = {
        unwrap: () => kms.unwrap(wrapped, context),
        generate: () => kms.generate(context),
        wrap: () => kms.wrap(Buffer.alloc(32, 1), context),
        rewrap: () => kms.rewrap(wrapped, context),
      };
      const names: string[] = [];
      for (const [name, call] of Object.entries(calls))
        await call().then(
          () => names.push(name),
          (error: unknown) => expect(hasCode(error, "kms_denied"), name).to.equal(true),
        );
      return names;
    };

    it("a sidecar of the keyring form may unwrap", async () => {
      expect(await lets(await as("sidecar-keyring"))).to.deep.equal(["unwrap"]);
    });

    it("a sidecar of the inline form may make data keys too", async () => {
      expect(await lets(await as("sidecar-inline"))).to.deep.equal(["unwrap", "generate"]);
    });

    it("a key administrator may do all that keys need", async () => {
      expect(await lets(await as("key-administrator"))).to.deep.equal(["unwrap", "generate", "wrap", "rewrap"]);
    });

    it("a sidecar for one tenant may unwrap the root and that tenant's keys", async () => {
      const administrator = await as("key-administrator");
      const wraps = await Promise.all(
        [rootContext, context, other].map(async (scope) => administrator.wrap(Buffer.alloc(32, 1), scope)),
      );
      const kms = await as("sidecar-one-tenant");
      const codes = [rootContext, context, other].map((scope, index) =>
        kms.unwrap(wraps[index] ?? Buffer.alloc(0), scope).then(
          () => "ok",
          (error: unknown) => (hasCode(error, "kms_denied") ? "denied" : "else"),
        ),
      );
      expect(await Promise.all(codes)).to.deep.equal(["ok", "ok", "denied"]);
    });
  });

  it("moves wraps to the key's newest version, and refuses those below the oldest that is allowed", async () => {
    await bao.createKey("turning");
    await bao.writePolicy("turn", usePolicy("turning"));
    const kms = await open(bao.kek("turning", await tokenAuth({ policies: ["turn"] })));
    const { plaintext, wrapped } = await kms.generate(context);
    await bao.rotateKey("turning");
    const anew = await kms.rewrap(wrapped, context);
    expect([wrapped, anew].map((bytes) => bytes.toString().slice(0, 9))).to.deep.equal(["vault:v1:", "vault:v2:"]);
    expect((await kms.unwrap(anew, context)).equals(plaintext)).to.equal(true);
    await bao.admin("POST", "transit/keys/turning/config", { min_decryption_version: 2 });
    expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_not_mine");
    expect((await kms.unwrap(anew, context)).equals(plaintext)).to.equal(true);
    await bao.admin("POST", "transit/keys/turning/config", { deletion_allowed: true });
    await bao.admin("DELETE", "transit/keys/turning");
    expect(await failureCode(() => kms.unwrap(anew, context))).to.equal("kms_denied");
  });

  it("refuses a key that is not derived", async () => {
    await bao.createKey("flat", {});
    await bao.writePolicy("flat", usePolicy("flat"));
    const config = bao.kek("flat", await tokenAuth({ policies: ["flat"] }));
    expect(await failureCode(async () => (await open(config)).generate(context))).to.equal("kms_broken");
    expect(await failureCode(async () => (await open(config)).wrap(Buffer.alloc(32, 1), context))).to.equal(
      "kms_broken",
    );
  });

  it("makes no key for a misspelt name, though the policy would let it", async () => {
    await bao.writePolicy("lax", 'path "transit/*" { capabilities = ["create", "read", "update"] }');
    const kms = await open(bao.kek("pateints", await tokenAuth({ policies: ["lax"] })));
    expect(await failureCode(() => kms.wrap(Buffer.alloc(32, 1), context))).to.equal("kms_denied");
    expect(await failureCode(() => kms.generate(context))).to.equal("kms_denied");
    expect((await bao.ask("GET", "transit/keys/pateints", { token: bao.rootToken })).status).to.equal(404);
  });

  it("tells who may not, what is not there and who is refused apart from a service out of reach", async () => {
    const auth = await tokenAuth({ policies: ["default"] });
    for (const config of [bao.kek("patients", auth), { ...bao.kek("patients", auth), mount: "other" }])
      expect(await failureCode(async () => (await open(config)).generate(context))).to.equal("kms_denied");
    const wrongMount = {
      ...bao.kek("patients", { method: "token", tokenFile: await bao.secretFile(bao.rootToken) } as const),
      mount: "other",
    };
    expect(await failureCode(async () => (await open(wrongMount)).generate(context))).to.equal("kms_denied");
  });

  it("is out of reach while it is sealed, stopped and restarted, and serves again with the token of before", async () => {
    const kms = await open(bao.kek("patients", await tokenAuth()));
    const { plaintext, wrapped } = await kms.generate(context);
    await bao.seal();
    expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_unavailable");
    await bao.unseal();
    expect((await calm(() => kms.unwrap(wrapped, context))).equals(plaintext)).to.equal(true);
    await bao.stop();
    expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_unavailable");
    await bao.restart();
    await pause(60);
    expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_unavailable");
    await bao.unseal();
    expect((await calm(() => kms.unwrap(wrapped, context))).equals(plaintext)).to.equal(true);
  });

  it("is out of reach where a quota is used up", async () => {
    await bao.admin("POST", "sys/quotas/config", { enable_rate_limit_response_headers: true });
    await bao.admin("POST", "sys/quotas/rate-limit/few", { path: "transit/", rate: 4, interval: "2s" });
    try {
      const kms = await open(bao.kek("patients", await tokenAuth()));
      const { wrapped } = await calm(() => kms.generate(context));
      const codes: string[] = [];
      for (let turn = 0; turn < 6; turn += 1)
        codes.push(
          await kms.unwrap(wrapped, context).then(
            () => "ok",
            () => failureCode(() => kms.unwrap(wrapped, context)),
          ),
        );
      expect(codes).to.include("kms_unavailable");
      expect(codes.every((code) => code === "ok" || code === "kms_unavailable")).to.equal(true);
      await calm(() => kms.unwrap(wrapped, context));
    } finally {
      await bao.admin("DELETE", "sys/quotas/rate-limit/few");
    }
  });

  describe("tokens", () => {
    it("that are periodic, or renewable for a while, or not at all, never end in a failure", async () => {
      const role = { token_policies: ["use"], token_ttl: "2s", token_max_ttl: "5s" };
      const app = await bao.createAppRole("brief", role);
      const batch = await bao.createAppRole("batch", { ...role, token_type: "batch" });
      const approle = async ({ roleId, secretId }: typeof app): Promise<VaultAuth> => ({
        method: "approle",
        roleId,
        secretIdFile: await bao.secretFile(secretId),
      });
      const auths = [await tokenAuth({ period: "2s" }), await approle(app), await approle(batch)];
      const all = await Promise.all(auths.map(async (auth) => open(bao.kek("patients", auth))));
      const wraps = await Promise.all(all.map(async (kms) => (await kms.generate(context)).wrapped));
      for (const end = Date.now() + 8_000; Date.now() < end;) {
        await Promise.all(all.map((kms, index) => kms.unwrap(wraps[index] ?? Buffer.alloc(0), context)));
        await pause(100);
      }
    });

    it("that nobody uses for longer than they live are renewed all the same", async () => {
      const kms = await open(bao.kek("patients", await tokenAuth({ period: "2s" })));
      await kms.generate(context);
      await pause(5_000);
      await kms.generate(context);
    });

    it("in a file that end are denied, until another one stands there", async () => {
      const auth = await tokenAuth({ ttl: "1s", explicit_max_ttl: "1s" });
      const kms = await open(bao.kek("patients", auth));
      const { wrapped } = await kms.generate(context);
      await pause(1_500);
      expect(await failureCode(() => kms.unwrap(wrapped, context))).to.equal("kms_denied");
      if (auth.method !== "token") return;
      await bao.overwrite(auth.tokenFile, await bao.createToken({ policies: ["use"] }));
      await kms.unwrap(wrapped, context);
    });

    it("of a login are taken back when the sidecar ends", async () => {
      const { roleId, secretId } = await bao.createAppRole("tidy", { token_policies: ["use"], token_ttl: "1h" });
      const count = async (): Promise<number> => {
        const { body } = await bao.admin("GET", "auth/token/accessors?list=true");
        return (body["data"] as { readonly keys: readonly unknown[] }).keys.length;
      };
      const before = await count();
      const kms = await open(
        bao.kek("patients", { method: "approle", roleId, secretIdFile: await bao.secretFile(secretId) }),
      );
      await kms.generate(context);
      expect(await count()).to.equal(before + 1);
      await kms.close();
      expect(await count()).to.equal(before);
    });
  });

  describe("logins", () => {
    it("approle: an unknown secret id is denied", async () => {
      const { roleId } = await bao.createAppRole("strict", { token_policies: ["use"] });
      const secretIdFile = await bao.secretFile(randomUUID());
      const kms = await open(bao.kek("patients", { method: "approle", roleId, secretIdFile }));
      expect(await failureCode(() => kms.generate(context))).to.equal("kms_denied");
    });

    it("cert: by the certificate that TLS shows, and denied for another", async () => {
      await bao.enableLogin("cert");
      const certificate = await bao.clientCertificate("sidecar.web");
      const settings = { certificate: bao.pki.ca, allowed_dns_sans: "sidecar.web", token_policies: ["use"] };
      await bao.admin("POST", "auth/cert/certs/web", settings);
      for (const auth of [
        { method: "cert", ...certificate },
        { method: "cert", role: "web", ...certificate },
      ] as const)
        await (await open(bao.kek("patients", auth))).generate(context);
      const stranger = { method: "cert", role: "web", ...(await bao.clientCertificate("other.web")) } as const;
      expect(await failureCode(async () => (await open(bao.kek("patients", stranger))).generate(context))).to.equal(
        "kms_denied",
      );
    });

    it("kubernetes: by the service account's token, as the cluster's review has it", async () => {
      await using cluster = await FakeCluster.start(bao);
      await bao.enableLogin("kubernetes");
      await bao.admin("POST", "auth/kubernetes/config", {
        kubernetes_host: cluster.address,
        kubernetes_ca_cert: bao.pki.ca,
        token_reviewer_jwt: serviceAccountJwt("reviewer"),
        disable_local_ca_jwt: true,
      });
      await bao.admin("POST", "auth/kubernetes/role/app", {
        bound_service_account_names: ["app"],
        bound_service_account_namespaces: ["web"],
        audience: "vault",
        token_policies: ["use"],
        token_ttl: "1h",
      });
      const login = async (jwt: string, role = "app"): Promise<VaultAuth> => ({
        method: "kubernetes",
        role,
        tokenFile: await bao.secretFile(jwt),
      });
      const kms = await open(bao.kek("patients", await login(serviceAccountJwt("app"))));
      await kms.generate(context);
      expect(cluster.reviews).to.equal(1);
      for (const auth of [
        await login(serviceAccountJwt("other")),
        await login(serviceAccountJwt("app", "https://kubernetes.default.svc")),
        await login("no.j.wt"),
        await login(serviceAccountJwt("app"), "no-such-role"),
      ])
        expect(await failureCode(async () => (await open(bao.kek("patients", auth))).generate(context))).to.equal(
          "kms_denied",
        );
    });
  });

  describe("the doctor", () => {
    const findings = async (key: string, order: Partial<BaoTokenOrder>) => {
      const config = bao.kek(key, await tokenAuth(order));
      const found = await vaultFindings(config, vaultPorts());
      return Object.fromEntries(found.map(({ check, status }) => [check.replace("kms main: ", ""), status]));
    };

    it("has nothing to say against a policy of use", async () => {
      expect(await findings("patients", { ttl: "1h" })).to.deep.equal({
        token: "ok",
        "policy grants use": "ok",
        "policy makes no keys": "ok",
        "policy is for this key": "ok",
        key: "unknown",
      });
    });

    it("finds a policy that makes keys, one that reaches further, and a key that can be taken away", async () => {
      await bao.createKey("loose", { exportable: true, allow_plaintext_backup: true });
      await bao.writePolicy("wide", 'path "transit/*" { capabilities = ["create", "read", "update"] }');
      expect(await findings("loose", { policies: ["wide"] })).to.deep.equal({
        token: "ok",
        "policy grants use": "ok",
        "policy makes no keys": "not ok",
        "policy is for this key": "not ok",
        key: "not ok",
      });
      expect((await findings("patients", { policies: ["wide"] }))["key"]).to.equal("ok");
      expect((await findings("pateints", { policies: ["wide"] }))["key"]).to.equal("not ok");
    });

    it("finds a caller who may not decrypt, and tells what it could not look at", async () => {
      expect((await findings("patients", { policies: ["default"] }))["policy grants use"]).to.equal("not ok");
      expect(new Set(Object.values(await findings("patients", { no_default_policy: true })))).to.deep.equal(
        new Set(["unknown"]),
      );
    });
  });

  it("lets nobody near without a certificate where it asks for one", async () => {
    await using strict = await OpenBao.start({ mutual: true });
    await strict.createKey("patients");
    await strict.writePolicy("use", usePolicy("patients"));
    const tokenFile = await strict.secretFile(await strict.createToken({ policies: ["use"], ttl: "1h" }));
    const bare = await open(strict.kek("patients", { method: "token", tokenFile }));
    expect(await failureCode(() => bare.generate(context))).to.equal("kms_unavailable");
    const client = await strict.clientCertificate("sidecar.web");
    await (await open(strict.kek("patients", { method: "token", tokenFile, client }))).generate(context);
  });
});

/** The part of a cluster's API that reviews tokens: it believes them, and says whose they are. */
class FakeCluster implements AsyncDisposable {
  reviews = 0;
  readonly #server: Server;

  private constructor(identity: { readonly cert: string; readonly key: string }) {
    this.#server = createServer({ ...identity }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        this.reviews += 1;
        const { spec } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly spec: { readonly token: string } };
        response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(reviewOf(spec.token)));
      });
    });
  }

  static async start(bao: OpenBao): Promise<FakeCluster> {
    const cluster = new FakeCluster(await bao.pki.issue({ name: "cluster", ip: ["127.0.0.1"], usage: "server" }));
    cluster.#server.listen(0, "127.0.0.1");
    await once(cluster.#server, "listening");
    return cluster;
  }

  get address(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }
}

interface Claims {
  readonly aud: readonly string[];
  readonly sub: string;
  readonly "kubernetes.io": { readonly serviceaccount: { readonly uid: string } };
}

function serviceAccountJwt(name: string, audience = "vault"): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    aud: [audience],
    iss: "https://kubernetes.default.svc",
    iat: now,
    exp: now + 3600,
    sub: `system:serviceaccount:web:${name}`,
    "kubernetes.io": { namespace: "web", serviceaccount: { name, uid: `uid-of-${name}` } },
  };
  return `${part({ alg: "RS256", kid: "one" })}.${part(claims)}.${Buffer.alloc(256, 1).toString("base64url")}`;
}

function reviewOf(token: string): object {
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Claims;
  const user = {
    username: claims.sub,
    uid: claims["kubernetes.io"].serviceaccount.uid,
    groups: ["system:serviceaccounts", "system:serviceaccounts:web", "system:authenticated"],
  };
  const status = { authenticated: true, user, audiences: claims.aud };
  return { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", status };
}
