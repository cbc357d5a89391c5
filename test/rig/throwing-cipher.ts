import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

/** Preloaded into a sidecar under test: from SIGUSR2 on every new cipher throws, with its key in the error's text. */
process.on("SIGUSR2", () => {
  crypto.createCipheriv = ((name: string, key: Buffer) => {
    throw new TypeError(`cannot make ${name} with ${key.toString("hex")}`);
  }) as never;
  syncBuiltinESMExports();
});
