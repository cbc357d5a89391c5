import { expect } from "chai";
import { KeyMeasures } from "../../src/keys/usage/key-measures.ts";
import type { KeyState } from "../../src/keys/keyring/keyring-file.ts";
import { RecordedMetrics } from "../rig/recorded-metrics.ts";

describe("measures by key", () => {
  const keyOf = (n: number, state: KeyState) => ({
    id: n.toString(16).padStart(16, "0").padEnd(64, "f"),
    entry: { state },
  });

  it("give labels to keys in use before others, and to retired ones none, however many there are", () => {
    const metrics = new RecordedMetrics();
    const measures = new KeyMeasures(metrics);
    const retired = Array.from({ length: 1500 }, (_, n) => keyOf(n, "retired"));
    const closed = Array.from({ length: 1500 }, (_, n) => keyOf(2000 + n, "decrypt-only"));
    const active = keyOf(9000, "active");
    measures.admit([...retired, ...closed, active]);
    measures.outlook({
      keys: [...retired, ...closed, active].map(({ id }) => ({
        key: id,
        form: "keyring",
        inMemory: true,
        trustedFor: 1,
        opens: 1,
      })),
      firstDark: {},
      cold: { seal: 0, open: 0 },
    });
    const labels = metrics.of("sealwright_key_seconds_to_dark").map(({ labels: { key } }) => key);
    expect(labels).to.have.length(1000);
    expect(labels).to.include(active.id.slice(0, 16));
    expect(labels).not.to.include(retired[0]?.id.slice(0, 16));
  });
});
