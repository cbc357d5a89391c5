import { expect } from "chai";

import type { Finding } from "../../src/base/finding.ts";
import { vaultFindings } from "../../src/kms/vault/vault-findings.ts";
import type { VaultReply, VaultRequest } from "../rig/vault-fake.ts";
import { useVaultRig, vaultPorts } from "../rig/vault-rig.ts";

describe("what the doctor says of a Vault", () => {
  const rig = useVaultRig();

  async function found(fault: (request: VaultRequest) => VaultReply | undefined): Promise<Map<string, Finding>> {
    rig().fake.fault = fault;
    const findings = await vaultFindings(rig().config(), vaultPorts());
    return new Map(findings.map((finding) => [finding.check.replace("kms main: ", ""), finding]));
  }

  it("warns of tokens that are root's or have no end", async () => {
    for (const data of [
      { ttl: 0, expire_time: null, policies: ["root"] },
      { ttl: 0, expire_time: null, policies: ["use"] },
    ]) {
      const token = (
        await found(({ path }) => (path.endsWith("lookup-self") ? { status: 200, body: { data } } : undefined))
      ).get("token");
      expect(token?.status).to.equal("not ok");
    }
  });

  it("takes odd answers for unknown, and makes and wraps nothing", async () => {
    for (const body of [{}, { data: [] }, "{", null]) {
      const findings = await found(({ path }) => (path.endsWith("/login") ? undefined : { status: 200, body }));
      expect(new Set([...findings.values()].map(({ status }) => status))).to.deep.equal(new Set(["unknown"]));
    }
    expect(
      rig()
        .fake.asked("transit/")
        .every(({ method }) => method === "GET"),
    ).to.equal(true);
  });

  it("says of a service out of reach that it could not look", async () => {
    const findings = await found(() => ({ status: 503, body: { errors: ["Vault is sealed"] } }));
    expect(new Set([...findings.values()].map(({ status }) => status))).to.deep.equal(new Set(["unknown"]));
    expect(await vaultFindings(rig().config({ ca: "no-such-file" }), vaultPorts())).to.have.length(1);
  });
});
