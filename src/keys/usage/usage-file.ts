import { readFile, rename, stat } from "node:fs/promises";
import { asSealwrightError, hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import { replaceFile } from "../keyring/atomic-file.ts";
import type { KeysPorts } from "../key-service.ts";
import type { KeyUsage } from "./key-usage.ts";
import { parseUsageReport, printUsageReport, printUsageTime, type UsageReport } from "./usage-report.ts";

const writeMs = 30_000;
/** A report of 10,000 keys is 2 MiB. */
const longestFile = 16 * 1024 * 1024;

interface Identity {
  readonly sidecar: string;
  readonly since: string;
}

/**
 * Keeps what was counted through restarts, in a file that is replaced every 30 seconds and at the end. Whatever goes wrong with
 * it is told and never stops the sidecar: a count that is lost can only delay a key's retirement, for its report says since
 * when it counts. Where two sidecars write to one file, each finds what it has not written and begins to count anew.
 */
export class UsageFile {
  readonly #path: string;
  readonly #usage: KeyUsage;
  readonly #ports: Pick<KeysPorts, "clock" | "log">;
  #identity: Identity | undefined;
  /** What this process wrote last. */
  #written: string | undefined;
  #failure: string | undefined;
  #cancel: () => void = () => undefined;
  #writing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(path: string, usage: KeyUsage, ports: Pick<KeysPorts, "clock" | "log">) {
    this.#path = path;
    this.#usage = usage;
    this.#ports = ports;
  }

  /** Goes on from the former counts, if there are any. `sidecar`: the name of a report that begins anew, 32 hex digits. */
  async start(sidecar: string): Promise<void> {
    const former = await this.#former();
    if (former !== undefined) this.#usage.add(former);
    this.#identity = {
      sidecar: former?.sidecar ?? sidecar,
      since: former?.since ?? printUsageTime(this.#ports.clock.wallMs()),
    };
    await this.#write();
    this.#writeLater();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancel();
    await this.#writing;
    await this.#write();
  }

  #writeLater(): void {
    if (this.#stopped) return;
    this.#cancel = this.#ports.clock.after(writeMs, () => {
      this.#writing = this.#write();
      void this.#writing.then(() => this.#writeLater());
    });
  }

  async #write(): Promise<void> {
    if (this.#identity === undefined) return;
    const shared = await this.#isAnothers();
    if (shared) {
      // Counts of each have been lost to the other: no report here is evidence of what went before.
      this.#identity = { ...this.#identity, since: printUsageTime(this.#ports.clock.wallMs()) };
      this.#tell("usage_report_shared", new SealwrightError("usage_report_invalid"));
    }
    const report: UsageReport = {
      apiVersion: "sealwright.dev/v1",
      kind: "KeyUsage",
      ...this.#identity,
      writtenAt: printUsageTime(this.#ports.clock.wallMs()),
      ...this.#usage.report(),
    };
    try {
      const text = printUsageReport(report);
      await replaceFile(this.#path, text);
      this.#written = text;
      if (!shared) this.#failure = undefined;
    } catch (error) {
      this.#tell("usage_report_not_written", error);
    }
  }

  /** Somebody else has written there since. A file that was removed is nobody's. */
  async #isAnothers(): Promise<boolean> {
    if (this.#written === undefined) return false;
    const text = await readFile(this.#path, "utf8").catch(() => undefined);
    return text !== undefined && text !== this.#written;
  }

  async #former(): Promise<UsageReport | undefined> {
    try {
      const found = await stat(this.#path);
      if (found.size > longestFile) throw new SealwrightError("usage_report_invalid", { reason: "too long" });
      return parseUsageReport(await readFile(this.#path));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      this.#tell("usage_report_begins_anew", error);
      if (hasCode(error, "usage_report_invalid")) await this.#moveAside();
      return undefined;
    }
  }

  /** For whoever wants to know what became of it; a name per occasion, so that none takes another's place. */
  async #moveAside(): Promise<void> {
    try {
      await rename(this.#path, `${this.#path}.broken-${this.#ports.clock.wallMs()}`);
    } catch (error) {
      this.#tell("usage_report_not_moved", error);
    }
  }

  /** Once per change, not every 30 seconds. */
  #tell(event: string, error: unknown): void {
    const { code } = asSealwrightError(error);
    const failure = `${event} ${code}`;
    if (this.#failure === failure) return;
    this.#failure = failure;
    this.#ports.log.warn(event, { code, file: this.#path });
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
