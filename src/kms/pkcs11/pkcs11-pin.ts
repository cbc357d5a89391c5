import { readSecretFile, secretFileRefused } from "../secret-file.ts";

const longestPin = 256;

/** The PIN that stands in the file, without the line's end. Throws `key_file`. */
export async function readPin(path: string): Promise<string> {
  const bytes = await readSecretFile(path, { longest: longestPin, readers: "group" });
  const pin = bytes.toString("utf8").replace(/\r?\n$/, "");
  bytes.fill(0);
  if (pin === "" || /[\r\n\0]/.test(pin)) throw secretFileRefused(path, "no PIN");
  return pin;
}
