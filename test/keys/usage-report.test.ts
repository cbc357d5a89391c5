import { expect } from "chai";
import { parseUsageReport, printUsageReport, type UsageReport } from "../../src/keys/usage/usage-report.ts";
import { failureCode } from "../rig/failure-code.ts";

const report: UsageReport = {
  apiVersion: "sealwright.dev/v1",
  kind: "KeyUsage",
  sidecar: "0123456789abcdef".repeat(2),
  since: "2026-11-25T00:00:00.000Z",
  writtenAt: "2026-11-25T00:00:30.000Z",
  keys: {
    ["bb".repeat(32)]: { sealed: 3, opened: 0, lastSealed: "2026-11-25T00:00:29.120Z" },
    ["aa".repeat(32)]: { sealed: 0, opened: 2, lastOpened: "2026-11-25T00:00:01.000Z" },
  },
  other: { sealed: 0, opened: 7 },
};

describe("usage report", () => {
  it("reads back what it prints, keys sorted", () => {
    const text = printUsageReport(report);
    expect(parseUsageReport(Buffer.from(text))).to.deep.equal(report);
    expect(text.indexOf("aaaa")).to.be.lessThan(text.indexOf("bbbb"));
    expect(text.endsWith("}\n")).to.equal(true);
  });

  const broken: Readonly<Record<string, unknown>> = {
    "another kind": { ...report, kind: "Keyring" },
    "an unknown member": { ...report, host: "x" },
    "a key id of another length": { ...report, keys: { aa: { sealed: 1, opened: 0 } } },
    "an unknown member of a key": { ...report, keys: { ["aa".repeat(32)]: { sealed: 1, opened: 0, by: 1 } } },
    "a negative count": { ...report, other: { sealed: -1, opened: 0 } },
    "half a value": { ...report, other: { sealed: 0.5, opened: 0 } },
    "a time that is none": { ...report, writtenAt: "2026-02-30T00:00:00.000Z" },
    "too many keys": {
      ...report,
      keys: Object.fromEntries(
        Array.from({ length: 10_001 }, (_, index) => [index.toString(16).padStart(64, "0"), { sealed: 1, opened: 0 }]),
      ),
    },
  };
  for (const [what, value] of Object.entries(broken))
    it(`refuses ${what}`, async () => {
      expect(await failureCode(() => parseUsageReport(Buffer.from(JSON.stringify(value))))).to.equal(
        "usage_report_invalid",
      );
    });

  it("refuses a file cut anywhere", async () => {
    const bytes = Buffer.from(printUsageReport(report));
    for (let end = 0; end < bytes.length - 1; end += 1) {
      const cut = bytes.subarray(0, end);
      expect(await failureCode(() => parseUsageReport(cut)), String(end)).to.equal("usage_report_invalid");
    }
  });
});
