import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

/**
 * What happens at one file operation of many. `fail`: it fails and has no effect; `half`: a write leaves half of its bytes and
 * fails (other operations fail); `gone`: it and all after it fail, as when a disk is lost; `crash`: neither it nor any after it
 * happens, as when the process is killed; `half-crash`: the same after half a write.
 */
export type FsFault = "fail" | "half" | "gone" | "crash" | "half-crash";

export interface FaultedRun<T> {
  /** How many file operations began, the faulty one included. */
  readonly operations: number;
  /** `undefined` = the process is gone. */
  readonly outcome: PromiseSettledResult<T> | undefined;
}

const functions = [
  ...["access", "chmod", "chown", "link", "lstat", "mkdir", "mkdtemp", "open", "readdir", "readFile", "readlink"],
  ...["realpath", "rename", "rm", "stat", "symlink", "truncate", "unlink", "writeFile"],
];
const methods = ["appendFile", "chmod", "chown", "close", "datasync", "read", "readFile", "stat", "sync", "truncate"];

type Work = (...args: unknown[]) => Promise<unknown>;
type Patched = Record<string, Work>;

/** Runs `task` with the fault at its `at`-th file operation, counted from 1, and everything as it was afterwards. */
export async function withFsFault<T>(fault: FsFault, at: number, task: () => Promise<T>): Promise<FaultedRun<T>> {
  const crash = Promise.withResolvers<undefined>();
  const opened = new Set<FileHandle>();
  let operations = 0;
  const faulty = (work: Work, writes = false): Work =>
    async function (this: unknown, ...args) {
      operations += 1;
      const call = (): Promise<unknown> => work.apply(this, args);
      if (operations < at || (operations > at && (fault === "fail" || fault === "half"))) return call();
      const [content, ...more] = args;
      if (writes && operations === at && fault.startsWith("half") && typeof content === "string")
        await work.call(this, content.slice(0, content.length / 2), ...more);
      if (!fault.endsWith("crash")) throw Object.assign(new Error("injected"), { code: "ENOSPC" });
      crash.resolve(undefined);
      return new Promise(() => undefined);
    };
  const handles = await handlePrototype();
  const opening =
    (work: Work): Work =>
    async (...args) => {
      const handle = (await work(...args)) as FileHandle;
      opened.add(handle);
      return handle;
    };
  const undo = [
    // Innermost: what a crash leaves open, the system would close.
    ...patched(fs as unknown as Patched, ["open"], opening),
    ...patched(fs as unknown as Patched, functions, faulty),
    ...patched(handles, methods, faulty),
    ...patched(handles, ["writeFile", "write"], (work) => faulty(work, true)),
  ];
  syncBuiltinESMExports();
  try {
    const settled = Promise.allSettled([task()]).then(([outcome]) => outcome);
    return { outcome: await Promise.race([settled, crash.promise]), operations };
  } finally {
    for (const each of undo.toReversed()) each();
    syncBuiltinESMExports();
    for (const handle of opened) if (handle.fd >= 0) await handle.close();
  }
}

function patched(target: Patched, names: readonly string[], edit: (work: Work) => Work): readonly (() => void)[] {
  return names.flatMap((name) => {
    const original = target[name];
    if (original === undefined) return [];
    target[name] = edit(original);
    return [() => void (target[name] = original)];
  });
}

async function handlePrototype(): Promise<Patched> {
  const handle: FileHandle = await fs.open(import.meta.filename);
  await handle.close();
  return Object.getPrototypeOf(handle) as Patched;
}
