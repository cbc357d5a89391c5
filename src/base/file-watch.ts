import { watch, type FSWatcher } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "./clock.ts";

export interface FileWatchOptions {
  /** Files, or folders of files, that may change. They need not exist yet. */
  readonly paths: readonly string[];
  /** Looks at them; compares by itself whether anything changed. Its failures are its own to tell: none may leave it. */
  readonly look: () => Promise<void>;
  /** A look at least this often, whatever was noticed, milliseconds. */
  readonly pollMs: number;
  readonly clock: Clock;
}

/** One change is many events: a look begins when nothing has happened for this long. */
const settleMs = 100;

/**
 * Has files looked at again soon after they changed, and every `pollMs` in any case. Folders are watched, not files: an editor
 * and a rename put another file in the place, and Kubernetes swaps the link `..data` beside the files that it mounts. Two looks
 * never run at once.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #cancelPoll: () => void = () => undefined;
  #cancelSettle: () => void = () => undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** From now on in the background; the first look is the caller's own. */
  start(): void {
    this.#watchFolders();
    this.#pollLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPoll();
    this.#cancelSettle();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Looks now, or once more after the look under way, which may have begun too early. Settles with the last look's end. */
  lookNow(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#lookUntilQuiet();
    return this.#looking;
  }

  async #lookUntilQuiet(): Promise<void> {
    this.#again = false;
    await this.#options.look();
    if (this.#wantsAnother()) return this.#lookUntilQuiet();
    this.#looking = undefined;
  }

  #wantsAnother(): boolean {
    return this.#again && !this.#stopped;
  }

  #pollLater(): void {
    if (this.#stopped) return;
    this.#cancelPoll = this.#options.clock.after(this.#options.pollMs, () => {
      // What could not be watched before may be there now.
      this.#watchFolders();
      void this.lookNow().finally(() => this.#pollLater());
    });
  }

  #watchFolders(): void {
    const folders = new Set(this.#options.paths.flatMap((path) => [path, dirname(path)]));
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watchFolder(folder);
  }

  /** Best effort: where the system cannot watch, the poll remains. */
  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#noticed());
      watcher.on("error", () => this.#forget(folder, watcher));
      this.#watchers.set(folder, watcher);
    } catch {
      // Not there, or no more watches to be had.
    }
  }

  #forget(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(folder) === watcher) this.#watchers.delete(folder);
  }

  #noticed(): void {
    if (this.#stopped) return;
    this.#cancelSettle();
    this.#cancelSettle = this.#options.clock.after(settleMs, () => {
      // A watched file or folder may be another one by now: watched anew.
      for (const [folder, watcher] of [...this.#watchers]) this.#forget(folder, watcher);
      this.#watchFolders();
      void this.lookNow();
    });
  }
}
