import { expect } from "chai";
import { assertLawfulChange } from "../../src/keys/keyring/entry-transitions.ts";
import type { KeyringEntry, KeyState } from "../../src/keys/keyring/keyring-file.ts";
import type { ShardContent } from "../../src/keys/keyring/keyring-shard.ts";
import { failureCode } from "../rig/failure-code.ts";

const states: readonly KeyState[] = ["pending", "active", "decrypt-only", "retired"];
const wraps = [{ kek: "main", wrapped: "AA" }];

const entry = (more: Partial<KeyringEntry> = {}): KeyringEntry => ({
  id: "1".repeat(64),
  use: "randomized",
  scope: { dataset: "patients" },
  state: "pending",
  createdAt: "2026-01-01T00:00:00Z",
  notBefore: "2026-01-01T00:00:00Z",
  wraps,
  ...more,
});

const shard = (...entries: readonly KeyringEntry[]): ShardContent => ({
  apiVersion: "sealwright.dev/v1",
  kind: "Keyring",
  generation: 1,
  shard: { index: 0, count: 1 },
  root: { id: "0".repeat(64), wraps },
  entries,
});

const isLawful = async (before: ShardContent, after: ShardContent): Promise<boolean> => {
  try {
    assertLawfulChange(before, after);
    return true;
  } catch {
    expect(await failureCode(() => assertLawfulChange(before, after))).to.equal("internal");
    return false;
  }
};

describe("change of a keyring", () => {
  it("moves states on: pending, active, decrypt-only, retired; pending may be retired; nothing leads back", async () => {
    const lawful: string[] = [];
    for (const from of states)
      for (const to of states)
        if (await isLawful(shard(entry({ state: from })), shard(entry({ state: to })))) lawful.push(`${from} ${to}`);
    expect(lawful).to.have.members([
      ...states.map((state) => `${state} ${state}`),
      "pending active",
      "pending retired",
      "active decrypt-only",
      "decrypt-only retired",
    ]);
  });

  it("loses no entry, retired and destroyed ones least of all", async () => {
    const tombstone = entry({ state: "retired", wraps: [] });
    expect(await isLawful(shard(tombstone), shard())).to.equal(false);
    expect(await isLawful(shard(tombstone), shard(entry({ state: "retired" })))).to.equal(false);
    expect(await isLawful(shard(tombstone), shard(tombstone, entry({ id: "2".repeat(64) })))).to.equal(true);
  });

  it("never turns a key into another", async () => {
    const others: readonly Partial<KeyringEntry>[] = [
      { use: "deterministic" },
      { scope: {} },
      { scope: { dataset: "patients", tenant: "t1" } },
      { createdAt: "2026-01-01T00:00:01Z" },
    ];
    for (const other of others) expect(await isLawful(shard(entry()), shard(entry(other)))).to.equal(false);
    const wider = { wraps: [...wraps, { kek: "spare", wrapped: "AA" }], notBefore: "2027-01-01T00:00:00Z" };
    expect(await isLawful(shard(entry()), shard(entry(wider)))).to.equal(true);
  });

  it("keeps the root", async () => {
    const root = { id: "3".repeat(64), wraps };
    expect(await isLawful(shard(), { ...shard(), root })).to.equal(false);
  });
});
