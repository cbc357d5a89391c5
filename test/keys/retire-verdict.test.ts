import { expect } from "chai";
import fc from "fast-check";
import { noSightings } from "../../src/keys/life-cycle/key-sightings.ts";
import { printTime, type KeyState } from "../../src/keys/keyring/keyring-file.ts";
import { retireVerdict, type RetireQuestion } from "../../src/keys/life-cycle/retire-verdict.ts";

const day = 86_400_000;
const now = Date.parse("2026-11-25T00:00:00Z");

const entry = (state: KeyState, sinceDays: number) => ({ state, notBefore: printTime(now - sinceDays * day) });
const scan = { files: 3, newest: now, unreadable: 0 };
const report = { since: now - 100 * day, writtenAt: now, unattributed: 0 };

/** A key that may go, by a scan and a report. */
const gone: RetireQuestion = {
  entry: entry("decrypt-only", 61),
  sightings: noSightings,
  now,
  decryptOnlyMs: 60 * day,
  coverage: { scans: [scan], reports: [report] },
};

describe("retire verdict", () => {
  it("lets a key go by a scan, by reports, or by both", () => {
    for (const coverage of [gone.coverage, { scans: [scan], reports: [] }, { scans: [], reports: [report] }]) {
      const verdict = retireVerdict({ ...gone, coverage });
      expect(verdict.eligible).to.equal(true);
      expect(verdict.reasons).not.to.deep.equal([]);
    }
  });

  const against: Readonly<Record<string, Partial<RetireQuestion>>> = {
    "is pending": { entry: entry("pending", 61) },
    "is active": { entry: entry("active", 61) },
    "is retired": { entry: entry("retired", 61) },
    "sealed until 59 days ago": { entry: entry("decrypt-only", 59) },
    "was seen sealing after its state changed": { sightings: { ...noSightings, sealed: 1, lastSealed: now - day } },
    "has a value in the data": { sightings: { ...noSightings, found: 1, foundAt: now } },
    "opened values 59 days ago": { sightings: { ...noSightings, opened: 1, lastOpened: now - 59 * day } },
    "nobody has looked for": { coverage: { scans: [], reports: [] } },
    "might be in a file that could not be read": { coverage: { scans: [{ ...scan, unreadable: 1 }], reports: [] } },
    "was looked for in no file": { coverage: { scans: [{ files: 0, unreadable: 0 }], reports: [] } },
    "was looked for in data older than its last values": {
      coverage: { scans: [{ ...scan, newest: now - 62 * day }], reports: [] },
    },
    "has a report from before its window's end": {
      coverage: { scans: [scan], reports: [report, { ...report, writtenAt: now - 2 * day }] },
    },
    "may be among those that a report had no room for": {
      coverage: { scans: [], reports: [{ ...report, unattributed: 1 }] },
    },
    "has only reports that begin too late": {
      coverage: { scans: [], reports: [{ ...report, since: now - 59 * day }] },
    },
    "has a report that was lost and began anew, and no scan": {
      coverage: { scans: [], reports: [report, { ...report, since: now - day }] },
    },
    "has a report that nobody has written to of late, and no scan": {
      entry: entry("decrypt-only", 200),
      coverage: { scans: [], reports: [report, { ...report, since: now - 300 * day, writtenAt: now - 2 * day }] },
    },
  };
  for (const [what, change] of Object.entries(against))
    it(`keeps a key that ${what}`, () => {
      const verdict = retireVerdict({ ...gone, ...change });
      expect(verdict.eligible).to.equal(false);
      expect(verdict.reasons).to.have.length(1);
    });

  it("never lets a key go that something speaks against, whatever else was looked at", () => {
    const coverage = fc.record({
      scans: fc.array(fc.constantFrom(scan, { ...scan, unreadable: 1 }, { files: 0, unreadable: 0 }), { maxLength: 3 }),
      reports: fc.array(fc.constantFrom(report, { ...report, since: now }, { ...report, unattributed: 2 }), {
        maxLength: 3,
      }),
    });
    const sightings = fc.constantFrom(
      { ...noSightings, found: 2 },
      { ...noSightings, opened: 1, lastOpened: now - 1 },
      { ...noSightings, sealed: 1, lastSealed: now - 1 },
    );
    fc.assert(
      fc.property(coverage, sightings, (looked, seen) => {
        expect(retireVerdict({ ...gone, coverage: looked, sightings: seen }).eligible).to.equal(false);
      }),
    );
  });
});
