import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { command } from "./command.ts";

const suite = "bookworm";
const packages = "ca-certificates,libatomic1";
const npmVersion = "11.6.2";

/** Name of the substitute base image in local storage. */
export const buildBaseName = "localhost/sealwright-test-build:26";

/**
 * A stand-in for the Dockerfile's default build base where no registry can be asked: a Debian of the same release with the
 * Node.js of the lockfile and npm, made from the machine's own Debian mirror. Gives the path of a docker-archive, kept in the
 * user's cache folder under a hash of what it is made from.
 */
export async function buildBaseArchive(): Promise<string> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const archive = join(cache, "sealwright", `build-base-${inputHash()}.tar`);
  if (existsSync(archive)) return archive;

  const work = await mkdtemp(join(tmpdir(), "sealwright-base-"));
  try {
    const root = join(work, "root");
    await mkdir(root);
    installDebian(work, root);
    await addNode(root);
    await addNpm(work, root);
    await mkdir(dirname(archive), { recursive: true });
    const made = join(work, "archive.tar");
    await packArchive(work, root, made);
    await cp(made, `${archive}.new`);
    await rename(`${archive}.new`, archive);
    return archive;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Changes whenever the archive would: this file makes it from the release, the packages, Node.js and npm it names. */
function inputHash(): string {
  const parts = [readFileSync(import.meta.filename, "utf8"), process.version, process.arch];
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
}

function installDebian(work: string, root: string): void {
  const tar = join(work, "debian.tar");
  command("mmdebstrap", ["--quiet", "--variant=minbase", `--include=${packages}`, suite, tar, debianMirror()]);
  command("tar", ["-C", root, "-xf", tar, "--exclude=./dev/*"]);
}

/** The mirror that this machine's apt uses: deb822 or one-line format. */
function debianMirror(): string {
  for (const file of ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"]) {
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    const mirror = /^URIs:\s*(\S+)/m.exec(text)?.[1] ?? /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/m.exec(text)?.[1];
    if (mirror !== undefined) return mirror;
  }
  throw new Error("apt has no Debian mirror configured");
}

async function addNode(root: string): Promise<void> {
  await cp(process.execPath, join(root, "usr/local/bin/node"), { dereference: true });
}

async function addNpm(work: string, root: string): Promise<void> {
  command("npm", ["pack", "--silent", `npm@${npmVersion}`], { cwd: work });
  const npm = join(root, "usr/local/lib/node_modules/npm");
  await mkdir(npm, { recursive: true });
  command("tar", ["-C", npm, "--strip-components=1", "-xf", join(work, `npm-${npmVersion}.tgz`)]);
  for (const name of ["npm", "npx"]) {
    command("chmod", ["755", join(npm, `bin/${name}-cli.js`)]);
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, "usr/local/bin", name));
  }
}

/** One layer, every time and owner the same, so that equal roots give equal images. */
async function packArchive(work: string, root: string, archive: string): Promise<void> {
  const pack = ["--sort=name", "--mtime=@0", "--numeric-owner", "--owner=0", "--group=0"];
  const layer = join(work, "layer.tar");
  command("tar", [...pack, "-C", root, "-cf", layer, "."]);
  const digest = command("sha256sum", [layer]).slice(0, 64);
  const created = "1970-01-01T00:00:00Z";
  const image = {
    ...{ architecture: process.arch === "x64" ? "amd64" : process.arch, os: "linux", created },
    config: { Env: ["PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
    history: [{ created }],
  };
  const manifest = [{ Config: "config.json", RepoTags: [buildBaseName], Layers: ["layer.tar"] }];
  await writeFile(join(work, "config.json"), JSON.stringify(image));
  await writeFile(join(work, "manifest.json"), JSON.stringify(manifest));
  command("tar", [...pack, "-C", work, "-cf", archive, "manifest.json", "config.json", "layer.tar"]);
}
