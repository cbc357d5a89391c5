import { expect } from "chai";

import { SealwrightError } from "../../src/base/sealwright-error.ts";
import type { VaultAnswer, VaultQuestion } from "../../src/kms/vault/vault-http.ts";
import type { VaultGrant, VaultLogin } from "../../src/kms/vault/vault-login.ts";
import { VaultTokens } from "../../src/kms/vault/vault-tokens.ts";
import { failureCode } from "../rig/failure-code.ts";
import { FakeClock, settled } from "../rig/fake-clock.ts";
import { vaultPorts } from "../rig/vault-rig.ts";

const hour = 3_600_000;

/** Gives tokens by number, and answers renewals as it is told to. */
class FakeService implements VaultLogin {
  owned = true;
  lifeMs = hour;
  renewable = true;
  logins = 0;
  renewals = 0;
  revoked: (string | undefined)[] = [];
  /** Thrown in place of an answer. */
  loginFailure: SealwrightError | undefined;
  renewalStatus = 200;
  renewalFailure: SealwrightError | undefined;

  login(): Promise<VaultGrant> {
    this.logins += 1;
    if (this.loginFailure !== undefined) return Promise.reject(this.loginFailure);
    return Promise.resolve({ token: `token-${this.logins}`, lifeMs: this.lifeMs, renewable: this.renewable });
  }

  isReplaced(): Promise<boolean> {
    return Promise.resolve(false);
  }

  ask({ path, token }: VaultQuestion): Promise<VaultAnswer> {
    if (path === "auth/token/revoke-self") this.revoked.push(token);
    else this.renewals += 1;
    if (this.renewalFailure !== undefined) return Promise.reject(this.renewalFailure);
    const auth = { client_token: token, lease_duration: this.lifeMs / 1000, renewable: this.renewable };
    return Promise.resolve({ status: this.renewalStatus, body: { auth }, retryAfterMs: 0 });
  }
}

describe("tokens of Vault over time", () => {
  let service: FakeService;
  let clock: FakeClock;
  let tokens: VaultTokens;

  beforeEach(() => {
    service = new FakeService();
    clock = new FakeClock();
    tokens = new VaultTokens(service, service, vaultPorts(clock));
  });
  afterEach(() => tokens.close());

  const away = new SealwrightError("kms_unavailable");

  it("are renewed ahead of their end, with nobody asking, for as long as it takes", async () => {
    await tokens.current();
    await clock.pass(0.6 * hour);
    expect(service.renewals).to.equal(0);
    await clock.pass(0.07 * hour);
    expect(service.renewals).to.equal(1);
    await clock.pass(100 * hour);
    expect(service.renewals).to.be.within(145, 170);
    expect(service.logins).to.equal(1);
    expect(await tokens.current()).to.equal("token-1");
  });

  it("are taken anew ahead of their end where they cannot be renewed", async () => {
    service.renewable = false;
    await tokens.current();
    await clock.pass(0.67 * hour);
    expect([service.logins, service.renewals]).to.deep.equal([2, 0]);
    expect(await tokens.current()).to.equal("token-2");
  });

  it("are taken anew once renewals give them less and less: their longest life nears its end", async () => {
    await tokens.current();
    service.lifeMs = hour / 4;
    await clock.pass(0.67 * hour);
    expect([service.logins, service.renewals]).to.deep.equal([1, 1]);
    service.lifeMs = hour;
    await clock.pass(0.17 * hour);
    expect([service.logins, service.renewals]).to.deep.equal([2, 1]);
    expect(await tokens.current()).to.equal("token-2");
  });

  it("are taken anew where the service will not renew them", async () => {
    await tokens.current();
    service.renewalStatus = 403;
    await clock.pass(0.67 * hour);
    expect(await tokens.current()).to.equal("token-2");
  });

  it("are used to their end, and no longer, while the service is out of reach", async () => {
    await tokens.current();
    service.renewalFailure = away;
    service.loginFailure = away;
    await clock.pass(hour - 1);
    expect(service.renewals).to.be.within(10, 60);
    expect(await tokens.current()).to.equal("token-1");
    await clock.pass(1);
    expect(await failureCode(() => tokens.current())).to.equal("kms_unavailable");
    service.renewalFailure = undefined;
    service.loginFailure = undefined;
    expect(await tokens.current()).to.match(/^token-/);
  });

  it("are not renewed by every call while renewals fail, nor in the background beyond their end", async () => {
    await tokens.current();
    service.renewalFailure = away;
    await clock.pass(0.7 * hour);
    const before = service.renewals;
    for (let call = 0; call < 100; call += 1) await tokens.current();
    expect(service.renewals).to.equal(before);
    await clock.pass(hour);
    const atTheEnd = service.renewals;
    await clock.pass(hour);
    expect(service.renewals).to.equal(atTheEnd);
    expect(clock.pendingTimers).to.equal(0);
  });

  it("are not used after the machine slept through their end, though its timers did not run", async () => {
    await tokens.current();
    clock.jumpWall(2 * hour);
    expect(await tokens.current()).to.equal("token-2");
  });

  it("are renewed behind a call that finds them due after the machine slept", async () => {
    await tokens.current();
    clock.jumpWall(0.8 * hour);
    expect(await tokens.current()).to.equal("token-1");
    await settled();
    expect(service.renewals).to.equal(1);
  });

  it("do not live longer for a wall clock that is set back", async () => {
    service.renewalFailure = away;
    await tokens.current();
    clock.jumpWall(-24 * hour);
    await clock.pass(hour);
    expect(await tokens.current()).to.equal("token-2");
  });

  it("are asked for once by all who wait, and again after a failure", async () => {
    service.loginFailure = away;
    const codes = await Promise.all(Array.from({ length: 50 }, () => failureCode(() => tokens.current())));
    expect([service.logins, new Set(codes)]).to.deep.equal([1, new Set(["kms_unavailable"])]);
    service.loginFailure = undefined;
    expect(await tokens.current()).to.equal("token-2");
  });

  it("without an end need no timer", async () => {
    service.lifeMs = Number.POSITIVE_INFINITY;
    await tokens.current();
    expect(clock.pendingTimers).to.equal(0);
    await clock.pass(1000 * hour);
    expect(await tokens.current()).to.equal("token-1");
  });

  it("end with the sidecar: the last is revoked, and no timer is left", async () => {
    await tokens.current();
    await tokens.close();
    expect(service.revoked).to.deep.equal(["token-1"]);
    expect(clock.pendingTimers).to.equal(0);
    await clock.pass(10 * hour);
    expect([service.logins, service.renewals]).to.deep.equal([1, 0]);
  });
});
