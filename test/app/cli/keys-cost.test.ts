import { join } from "node:path";
import { expect } from "chai";
import { estimateKeyCost } from "../../../src/app/cli/key-cost.ts";
import { inlineConfig, keyringConfig } from "../../rig/keyring-rig.ts";
import { useScratchFolder } from "../../rig/scratch-folder.ts";
import { runInProcess, writeSidecarFolder } from "./command-line.ts";

const hour = 3_600_000;

describe("cost of keys", () => {
  const folder = useScratchFolder();

  it("is one call per key and cache period, less what checks begin early", () => {
    const config = { ...keyringConfig("keyring.json"), cache: { age: hour, entries: 100 } };
    const estimate = estimateKeyCost(config, { sidecars: 10, keysInUse: 4, sealingScopes: 1 });
    expect(estimate.callsPerHour).to.be.closeTo(50, 1e-9);
    expect(estimate.coldStartCalls).to.equal(50);
    expect(estimate.callsPerMonth).to.be.closeTo(36_500, 1e-6);
  });

  it("adds, inline, a generated and proven key per scope and sealing period", () => {
    const config = {
      ...inlineConfig,
      cache: { age: hour, entries: 100 },
      sealing: { age: 2 * hour, values: 1e9, bytes: 1e12 },
    };
    const estimate = estimateKeyCost(config, { sidecars: 1, keysInUse: 4, sealingScopes: 4 });
    expect(estimate.callsPerHour).to.be.closeTo(4 / 0.8 + 8 / 1.6, 1e-9);
    expect(estimate.coldStartCalls).to.equal(12);
  });

  it("counts the keys of the keyring, and prices them when told a price", async () => {
    const config = writeSidecarFolder(folder());
    for (const args of [
      ["kek", "create", join(folder(), "kek.json")],
      ["keys", "init", "-c", config],
      ["keys", "add", "--active", "-c", config],
      ["keys", "add", "-c", config],
    ])
      expect((await runInProcess(args)).code).to.equal(0);
    const ran = await runInProcess(["keys", "cost", "-c", config, "--sidecars", "8", "--price", "0.03", "--json"]);
    expect(ran.code, ran.stderr).to.equal(0);
    const report = JSON.parse(ran.stdout) as Record<string, number>;
    expect(report["keysInUse"]).to.equal(2);
    expect(report["callsPerHour"]).to.be.closeTo(20, 1e-9);
    expect(report["costPerMonth"]).to.be.closeTo(0.0438, 1e-6);
    const text = await runInProcess(["keys", "cost", "-c", config, "--price", "1"]);
    expect(text.stdout).to.match(/^per month .*at 1 per 10,000$/mu);
    expect((await runInProcess(["keys", "cost", "-c", config, "--price", "cheap"])).code).to.equal(2);
  });
});
