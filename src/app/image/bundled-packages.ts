import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A package of which code went into the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly licence: string;
  /** Text of its licence and notice files; empty when it ships none. */
  readonly text: string;
}

const legalFile = /^(licen[cs]e|copying|notice)([.-].*)?$/i;
const packageFolder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;

/** The packages that the bundle's inputs (paths relative to `root`) came from, by name. */
export function bundledPackages(root: string, inputs: readonly string[]): BundledPackage[] {
  const folders = new Set(inputs.flatMap((input) => packageFolder.exec(input)?.[0] ?? []));
  return [...folders]
    .map((folder) => readPackage(join(root, folder)))
    .sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

function readPackage(folder: string): BundledPackage {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => legalFile.test(name))
        .sort()
    : [];
  const text = files.map((name) => readFileSync(join(folder, name), "utf8").trim()).join("\n\n");
  return { name: manifest.name, version: manifest.version, licence: manifest.license ?? "see text", text };
}

/** One text with the licences of all. */
export function licenceText(packages: readonly BundledPackage[]): string {
  const rule = "-".repeat(80);
  const entries = packages.map(
    ({ name, version, licence, text }) => `${rule}\n${name} ${version} (${licence})\n\n${text}\n`,
  );
  return `Sealwright contains code of these packages, under these licences.\n\n${entries.join("\n")}`;
}
