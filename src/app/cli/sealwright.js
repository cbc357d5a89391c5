#!/usr/bin/env node
// Plain JavaScript on purpose: it must run on a Node.js that is too old for everything else, to say so.
// eslint's and tsc's rules hold here too; only syntax of the year 2020 may stand in this file.

// Node.js opens an inspector on SIGUSR1 unless somebody listens. From here on nobody can look into the process that way.
process.on("SIGUSR1", () => undefined);

const code = "node_version";
const needed = 26;
const found = process.versions.node;

if (Number(found.split(".")[0]) < needed) {
  process.stderr.write(
    `${code}: sealwright needs Node.js ${needed} or newer, and this is ${found} (${process.execPath}).\n` +
      "Run it through npm (npx sealwright, npm run demo) after npm ci, which brings the right one, or install Node.js 26.\n",
  );
  process.exitCode = 2;
} else {
  const { main } = await import("./main.ts");
  process.exitCode = await main(process.argv.slice(2));
}
