import { readFileSync } from "node:fs";
import type { Finding } from "../../base/finding.ts";
import { weakSettings } from "../hardening/environment-rules.ts";

/** Reads a file of /proc; `undefined` where there is none, as on other systems. */
export type ProcReader = (path: string) => string | undefined;

/** What the doctor's own process shows, which runs where the sidecar does: same container, same limits. */
export interface ProcessView {
  readonly read: ProcReader;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly nodeArguments: readonly string[];
  readonly userId: number | undefined;
}

export function ownProcess(): ProcessView {
  const read: ProcReader = (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  };
  return { read, variables: process.env, nodeArguments: process.execArgv, userId: process.getuid?.() };
}

interface Check {
  readonly check: string;
  /** What is so, and whether it is good; `undefined` = cannot be seen here. */
  readonly look: (view: ProcessView) => { readonly good: boolean; readonly detail: string } | undefined;
  readonly fix: string;
}

const checks: readonly Check[] = [
  {
    check: "process: started plainly",
    look: ({ variables, nodeArguments }) => {
      const weak = weakSettings(variables, nodeArguments).map(({ setting }) => setting);
      return { good: weak.length === 0, detail: weak.length === 0 ? "yes" : weak.join(", ") };
    },
    fix: "Remove these variables and options: run refuses them in production.",
  },
  {
    check: "process: no credentials in its environment",
    look: ({ variables }) => {
      const found = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "VAULT_TOKEN", "BAO_TOKEN"].filter(
        (name) => variables[name] !== undefined,
      );
      return { good: found.length === 0, detail: found.length === 0 ? "none" : found.join(", ") };
    },
    fix: "Use a workload identity or token files: whoever may read /proc of this user reads the environment.",
  },
  {
    check: "process: loads no library of others",
    look: ({ variables }) => {
      const preload = variables["LD_PRELOAD"] ?? "";
      return { good: preload === "", detail: preload === "" ? "none" : "LD_PRELOAD is set" };
    },
    fix: "Remove LD_PRELOAD.",
  },
  {
    check: "process: user",
    look: ({ userId }) => (userId === undefined ? undefined : { good: userId !== 0, detail: `uid ${userId}` }),
    fix: "Run as a user of its own: runAsNonRoot: true, runAsUser: 65532.",
  },
  {
    check: "process: no new privileges",
    look: (view) => statusLine(view, "NoNewPrivs", (value) => value === "1"),
    fix: "Set allowPrivilegeEscalation: false.",
  },
  {
    check: "process: system call filter",
    look: (view) => statusLine(view, "Seccomp", (value) => value !== "0"),
    fix: "Set seccompProfile: { type: RuntimeDefault }.",
  },
  {
    check: "process: capabilities",
    look: (view) => statusLine(view, "CapBnd", (value) => /^0+$/.test(value)),
    fix: "Set capabilities: { drop: [ALL] }.",
  },
  {
    check: "process: read-only root",
    look: ({ read }) => {
      const root = read("/proc/self/mountinfo")
        ?.split("\n")
        .map((line) => line.split(" "))
        .findLast((fields) => fields[4] === "/");
      if (root === undefined) return undefined;
      const readOnly = (root[5] ?? "").split(",").includes("ro");
      return { good: readOnly, detail: readOnly ? "yes" : "the root file system can be written" };
    },
    fix: "Set readOnlyRootFilesystem: true.",
  },
  {
    check: "process: core dumps",
    look: ({ read }) => {
      const limit = /^Max core file size +(\S+)/mu.exec(read("/proc/self/limits") ?? "")?.[1];
      if (limit === undefined) return undefined;
      const pattern = read("/proc/sys/kernel/core_pattern")?.trim() ?? "";
      // A pipe gets the dump whatever the limit says; run empties its own dumps either way.
      const piped = pattern.startsWith("|");
      return { good: limit === "0" && !piped, detail: `limit ${limit}${piped ? ", piped to a program" : ""}` };
    },
    fix: "Set the core file limit to 0 (ulimit -c 0); run empties its dumps by /proc/self/coredump_filter as well.",
  },
  {
    check: "machine: swap",
    look: ({ read }) => {
      const total = /^SwapTotal: +(\d+) kB/mu.exec(read("/proc/meminfo") ?? "")?.[1];
      return total === undefined ? undefined : { good: total === "0", detail: `${total} KiB` };
    },
    fix: "Switch swap off or encrypt it: keys in memory may be written there.",
  },
  {
    check: "process: open files",
    look: ({ read }) => {
      const limit = /^Max open files +(\S+)/mu.exec(read("/proc/self/limits") ?? "")?.[1];
      if (limit === undefined) return undefined;
      return { good: limit === "unlimited" || Number(limit) >= 4096, detail: `limit ${limit}` };
    },
    fix: "Raise the limit of open files (ulimit -n) to 4096 at least: every connection is one.",
  },
];

/** The hardening checks, each ok, not ok or unknown. */
export function processFindings(view: ProcessView): readonly Finding[] {
  return checks.map(({ check, look, fix }) => {
    const seen = look(view);
    if (seen === undefined) return { check, status: "unknown", detail: "cannot be seen on this system", fix };
    return seen.good
      ? { check, status: "ok", detail: seen.detail }
      : { check, status: "not ok", detail: seen.detail, fix };
  });
}

function statusLine(
  { read }: ProcessView,
  name: string,
  isGood: (value: string) => boolean,
): { readonly good: boolean; readonly detail: string } | undefined {
  const value = new RegExp(`^${name}:\\s*(\\S+)`, "mu").exec(read("/proc/self/status") ?? "")?.[1];
  return value === undefined ? undefined : { good: isGood(value), detail: value };
}
