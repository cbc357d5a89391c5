/**
 * Writes what the image carries: the whole program in one file, without source map, and the licences of what is in it.
 * `node write-bundle.ts [FOLDER]`; the folder is `dist` by default.
 */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { build, type Plugin } from "esbuild";

import { bundledPackages, licenceText } from "./bundled-packages.ts";

const root = resolve(import.meta.dirname, "../../..");

/** The demo needs a checkout: it stays out, and a message that says so takes its place. */
const withoutDemo: Plugin = {
  name: "without-demo",
  setup: (bundling) => {
    bundling.onResolve({ filter: /\/demo\/demo\.ts$/ }, () => ({ path: join(root, "src/app/image/absent-demo.ts") }));
  },
};

/** CommonJS packages call `require` for Node's own modules, which an ES module does not have. */
const requireForCommonJs =
  'import { createRequire as sealwrightRequire } from "node:module"; const require = sealwrightRequire(import.meta.url);';

async function writeBundle(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/app/cli/sealwright.js"],
    outfile: join(folder, "sealwright.js"),
    ...{ bundle: true, platform: "node", format: "esm", target: "node26", metafile: true },
    ...{ sourcemap: false, legalComments: "none", logLevel: "warning" },
    banner: { js: requireForCommonJs },
    // Native code, for another image to add: without it the provider pkcs11 says what is missing.
    external: ["pkcs11js"],
    plugins: [withoutDemo],
  });
  const packages = bundledPackages(root, Object.keys(metafile.inputs));
  await writeFile(join(folder, "THIRD-PARTY.txt"), licenceText(packages));
  await copyFile(join(root, "LICENSE"), join(folder, "LICENSE"));
}

await writeBundle(resolve(process.argv[2] ?? join(root, "dist")));
