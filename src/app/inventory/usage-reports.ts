import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { parseUsageReport, type UsageReport } from "../../keys/usage/usage-report.ts";

/** A report of as many keys as it may hold is 2 MiB. */
const longestReport = 16 * 1024 * 1024;

/** The reports that the files are, or that end in `.json` in the folders. Throws `file_unreadable`, `usage_report_invalid`. */
export async function readUsageReports(paths: readonly string[]): Promise<readonly UsageReport[]> {
  const reports: UsageReport[] = [];
  for (const path of paths) for (const file of await reportFiles(path)) reports.push(await readReport(file));
  return newestPerSidecar(reports);
}

async function reportFiles(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => name.endsWith(".json") && !name.startsWith("."));
    return names.sort().map((name) => join(path, name));
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
}

async function readReport(file: string): Promise<UsageReport> {
  let bytes: Buffer;
  try {
    if ((await stat(file)).size > longestReport) throw new SealwrightError("usage_report_invalid", { file });
    bytes = await readFile(file);
  } catch (error) {
    if (error instanceof SealwrightError) throw error;
    throw new SealwrightError("file_unreadable", { file }, error);
  }
  try {
    return parseUsageReport(bytes);
  } catch (error) {
    throw error instanceof SealwrightError ? error.withFacts({ file }) : error;
  }
}

/**
 * Copies of one sidecar's report taken at several times would count its values several times. One that knows what the newest does
 * not is no copy: a machine was cloned with the report on it.
 */
function newestPerSidecar(reports: readonly UsageReport[]): readonly UsageReport[] {
  const newest = new Map<string, UsageReport>();
  for (const report of reports) {
    const known = newest.get(report.sidecar);
    if (known === undefined || known.writtenAt < report.writtenAt) newest.set(report.sidecar, report);
  }
  return reports.filter((report) => {
    const last = newest.get(report.sidecar);
    return last === undefined || last === report || !isOlderCopy(report, last);
  });
}

function isOlderCopy(report: UsageReport, last: UsageReport): boolean {
  return Object.entries(report.keys).every(([id, { sealed, opened, lastSealed = "", lastOpened = "" }]) => {
    const now = last.keys[id];
    if (now === undefined || now.sealed < sealed || now.opened < opened) return false;
    return (now.lastSealed ?? "") >= lastSealed && (now.lastOpened ?? "") >= lastOpened;
  });
}
