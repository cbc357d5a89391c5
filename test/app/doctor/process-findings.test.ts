import { expect } from "chai";
import { processFindings, type ProcessView } from "../../../src/app/doctor/process-findings.ts";

const limits = (core: string, files: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax core file size        ${core}                    0                    bytes\nMax open files            ${files}              1048576              files\n`;

function view(files: Readonly<Record<string, string>>, more: Partial<ProcessView> = {}): ProcessView {
  return { read: (path) => files[path], variables: {}, nodeArguments: [], userId: 65_532, ...more };
}

const restricted = {
  "/proc/self/status": "Name:\tnode\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n",
  "/proc/self/mountinfo": "22 1 0:21 / / ro,relatime - overlay overlay rw\n23 22 0:5 / /proc rw - proc proc rw\n",
  "/proc/self/limits": limits("0", "1048576"),
  "/proc/sys/kernel/core_pattern": "core\n",
  "/proc/meminfo": "MemTotal: 1 kB\nSwapTotal:       0 kB\n",
};

const bad = (given: ProcessView): readonly string[] =>
  processFindings(given).flatMap(({ check, status }) => (status === "not ok" ? [check] : []));

describe("process findings", () => {
  it("are all good in a pod under the restricted security standard", () => {
    expect(processFindings(view(restricted)).map(({ status }) => status)).to.not.include.members(["not ok", "unknown"]);
  });

  it("name what is open, each with a fix", () => {
    const open = {
      "/proc/self/status": "CapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t0\n",
      "/proc/self/mountinfo": "22 1 0:21 / / rw,relatime - overlay overlay rw\n",
      "/proc/self/limits": limits("unlimited", "1024"),
      "/proc/sys/kernel/core_pattern": "|/usr/lib/collector %p\n",
      "/proc/meminfo": "SwapTotal:  8000 kB\n",
    };
    const variables = { LD_PRELOAD: "/x.so", VAULT_TOKEN: "t", NODE_DEBUG: "tls" };
    const given = view(open, { variables, userId: 0 });
    expect(bad(given)).to.have.length(processFindings(given).length);
    for (const { fix } of processFindings(given)) expect(fix).to.be.a("string");
    expect(JSON.stringify(processFindings(given))).not.to.include("/x.so");
  });

  it("say unknown where a system shows nothing", () => {
    const statuses = processFindings(view({}, { userId: undefined })).map(({ status }) => status);
    expect(statuses.filter((status) => status === "unknown")).to.have.length.at.least(7);
    expect(statuses).not.to.include("not ok");
  });

  it("take a dump that is piped to a program for possible, whatever the limit says", () => {
    expect(bad(view({ ...restricted, "/proc/sys/kernel/core_pattern": "|/bin/collect\n" }))).to.deep.equal([
      "process: core dumps",
    ]);
  });
});
