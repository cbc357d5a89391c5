import { existsSync } from "node:fs";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { buildBaseArchive, buildBaseName } from "./build-base.ts";
import { command } from "./command.ts";

const project = resolve(import.meta.dirname, "../../..");
/** What .dockerignore lets through, and what the builder reads itself. */
const contextFiles = [
  "Dockerfile",
  ".dockerignore",
  ".npmrc",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "LICENSE",
  "src",
];
const systemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

export interface BuiltImage {
  readonly id: string;
  /** Uncompressed, bytes. */
  readonly size: number;
  /** What the image says of itself. */
  readonly config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly Cmd: readonly string[];
    readonly WorkingDir: string;
  };
}

/** Image storage of its own in a scratch folder, worked by buildah. */
export class ImageStore {
  readonly #folder: string;
  readonly #context: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#context = join(folder, "context");
  }

  /** The sources are copied once, so that every build is given the same ones whatever is edited meanwhile. */
  static async create(folder: string): Promise<ImageStore> {
    const store = new ImageStore(folder);
    for (const name of contextFiles) await cp(join(project, name), join(store.#context, name), { recursive: true });
    return store;
  }

  /** Builds the project's Dockerfile from scratch, without any cached layer, on the substitute build base. */
  async build(tag: string): Promise<BuiltImage> {
    this.#buildah("pull", "-q", `docker-archive:${await buildBaseArchive()}`);
    // npm in the build asks the registry that this machine's npm asks, and trusts whom this machine trusts.
    const npmrc = join(this.#folder, "npmrc");
    const registry = command("npm", ["config", "get", "registry"]).trim();
    await writeFile(npmrc, `registry=${registry}\ncafile=/run/build-ca.crt\n`);
    const packages = join(this.#folder, "npm-cache");
    await mkdir(packages, { recursive: true });
    const authorities = process.env["NODE_EXTRA_CA_CERTS"] ?? systemAuthorities;
    this.#buildah(
      ...["bud", "-q", "--isolation", "oci", "--runtime", "runc", "--pull-never", "--no-cache", "--network", "host"],
      // A fixed time and the OCI format are what makes two builds the same to the bit.
      ...["--format", "oci", "--timestamp", "0", "--build-arg", `BUILD_BASE=${buildBaseName}`],
      ...(existsSync(authorities) ? ["--volume", `${authorities}:/run/build-ca.crt:ro`] : []),
      // The second build need not download again.
      ...["--volume", `${packages}:/root/.npm`],
      ...["--volume", `${npmrc}:/usr/local/etc/npmrc:ro`, "-t", tag, this.#context],
    );
    const [listed] = JSON.parse(this.#buildah("images", "--json", "--no-trunc", tag)) as [{ readonly id: string }];
    const inspected = JSON.parse(this.#buildah("inspect", "--type", "image", tag)) as {
      readonly OCIv1: { readonly config: BuiltImage["config"] };
    };
    const root = this.mount(tag);
    const size = Number(command("du", ["--summarize", "--bytes", root]).split("\t")[0]);
    return { id: listed.id.replace("sha256:", ""), size, config: inspected.OCIv1.config };
  }

  /** Mounts the image's files; gives the folder. */
  mount(tag: string): string {
    const container = this.#buildah("from", "--pull-never", tag).trim();
    return this.#buildah("mount", container).trim();
  }

  async remove(): Promise<void> {
    this.#buildah("umount", "--all");
    this.#buildah("rm", "--all");
    await rm(this.#folder, { recursive: true, force: true });
  }

  #buildah(...args: readonly string[]): string {
    const storage = ["--root", join(this.#folder, "storage"), "--runroot", join(this.#folder, "run")];
    return command("buildah", [...storage, "--storage-driver", "overlay", ...args]);
  }
}
