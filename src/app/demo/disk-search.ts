import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface DiskSearch {
  readonly files: number;
  readonly bytes: number;
  /** Which of the texts was met, in which file and spelling. */
  readonly hits: readonly { readonly text: string; readonly file: string; readonly spelling: string }[];
}

interface Needle {
  readonly text: string;
  readonly spelling: string;
  readonly bytes: Buffer;
}

/** Looks through every file under `folders` for each text, as UTF-8, UTF-16, JSON escapes, hex and base64 at every alignment. */
export function searchDisk(folders: readonly string[], texts: readonly string[]): DiskSearch {
  const needles = texts.flatMap(needlesOf);
  const files = folders.flatMap(filesUnder).map((file) => ({ file, bytes: readFileSync(file) }));
  const hits = files.flatMap(({ file, bytes }) =>
    needles.filter((needle) => bytes.includes(needle.bytes)).map(({ text, spelling }) => ({ text, file, spelling })),
  );
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes.length, 0), hits };
}

function filesUnder(folder: string): string[] {
  if (statSync(folder).isFile()) return [folder];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function needlesOf(text: string): Needle[] {
  const utf8 = Buffer.from(text, "utf8");
  const hex = utf8.toString("hex");
  const spellings = [
    { spelling: "utf-8", bytes: utf8 },
    { spelling: "utf-16le", bytes: Buffer.from(text, "utf16le") },
    { spelling: "json escapes", bytes: Buffer.from(jsonEscaped(text)) },
    { spelling: "hex", bytes: Buffer.from(hex) },
    { spelling: "hex", bytes: Buffer.from(hex.toUpperCase()) },
    ...[0, 1, 2].flatMap((shift) => base64Cores(utf8, shift)),
  ];
  return spellings.map((spelling) => ({ text, ...spelling }));
}

const jsonEscaped = (text: string): string =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/**
 * What base64 of any text around `bytes` must hold when `shift` bytes of a group of three come before it: characters that
 * mix in neighbouring bytes are cut off at both ends.
 */
function base64Cores(bytes: Buffer, shift: number): Omit<Needle, "text">[] {
  const padded = Buffer.concat([Buffer.alloc(shift), bytes]);
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor((padded.length * 8) / 6);
  return (["base64", "base64url"] as const).map((spelling) => ({
    spelling,
    bytes: Buffer.from(padded.toString(spelling).slice(first, last)),
  }));
}
