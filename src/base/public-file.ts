import { readFile } from "node:fs/promises";
import { SealwrightError } from "./sealwright-error.ts";

/** A file whose mode is not looked at: certificates in PEM, or what somebody else mounts. Throws `file_unreadable`. */
export async function readPublicFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
}
