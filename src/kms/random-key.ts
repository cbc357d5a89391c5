import { randomFillSync } from "node:crypto";

/** 32 bytes of the system's generator, outside the shared pool of small buffers; the caller zeroes them. */
export function randomKey(): Buffer {
  return randomFillSync(Buffer.alloc(32));
}
