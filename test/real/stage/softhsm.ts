import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pkcs11KmsConfig } from "../../../src/kms/kms-config.ts";
import type { KmsStage, KmsTraits } from "../../rig/kms-stage.ts";

const places = ["/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib64/pkcs11", "/usr/local/lib/softhsm"];

/** The library of SoftHSM2, which Debian's package softhsm2 installs. Fails where there is none. */
export function softHsmModule(): string {
  const found = places.map((place) => join(place, "libsofthsm2.so")).find((path) => existsSync(path));
  const module = process.env["SEALWRIGHT_SOFTHSM"] ?? found;
  if (module === undefined) throw new Error("SoftHSM2 is not installed (Debian: softhsm2, opensc)");
  return module;
}

/** How a key is made, beside what a KEK is. */
export interface KeyTraits {
  readonly extractable?: boolean;
  readonly readable?: boolean;
  /** Default `AES:32`. */
  readonly type?: string;
}

/** Tokens of SoftHSM2 in a folder of their own; this process and its children see them and no others. */
export class SoftHsm implements AsyncDisposable {
  readonly module = softHsmModule();
  readonly pin = "493827";
  readonly folder: string;
  readonly #before = process.env["SOFTHSM2_CONF"];

  private constructor(folder: string) {
    this.folder = folder;
    process.env["SOFTHSM2_CONF"] = join(folder, "softhsm2.conf");
  }

  static async start(): Promise<SoftHsm> {
    const hsm = new SoftHsm(await mkdtemp(join(tmpdir(), "sealwright-test-")));
    await mkdir(hsm.tokens);
    const lines = [`directories.tokendir = ${hsm.tokens}`, "objectstore.backend = file", "log.level = ERROR"];
    await writeFile(join(hsm.folder, "softhsm2.conf"), `${lines.join("\n")}\n`);
    await hsm.writePin(hsm.pin);
    hsm.addToken("app");
    hsm.addKey("kek");
    return hsm;
  }

  get tokens(): string {
    return join(this.folder, "tokens");
  }

  get pinFile(): string {
    return join(this.folder, "pin");
  }

  /** Key `kek` of token `app`, unless `more` says otherwise. */
  config(more: Partial<Pkcs11KmsConfig> = {}): Pkcs11KmsConfig {
    return { provider: "pkcs11", module: this.module, token: "app", key: "kek", pinFile: this.pinFile, ...more };
  }

  async writePin(pin: string): Promise<void> {
    await writeFile(this.pinFile, `${pin}\n`);
    await chmod(this.pinFile, 0o600);
  }

  addToken(label: string): void {
    run("softhsm2-util", ["--init-token", "--free", "--label", label, "--pin", this.pin, "--so-pin", "271828"]);
  }

  addKey(
    label: string,
    { extractable = false, readable = false, type = "AES:32" }: KeyTraits = {},
    token = "app",
  ): void {
    const made = ["--keygen", "--key-type", type, "--label", label];
    const traits = [...(readable ? [] : ["--sensitive"]), ...(extractable ? ["--extractable"] : [])];
    const uses = ["--usage-wrap", "--usage-decrypt"];
    const login = ["--module", this.module, "--token-label", token, "--login", "--pin", this.pin];
    run("pkcs11-tool", [...login, ...made, ...traits, ...uses]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#before === undefined) delete process.env["SOFTHSM2_CONF"];
    else process.env["SOFTHSM2_CONF"] = this.#before;
    await rm(this.folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "pipe"] });
}

const noNetwork = "a library, no network";

export const pkcs11Traits: KmsTraits = {
  notApplicable: {
    "rewrap to a new version": "one key an object; another KEK takes its place",
    "throttled, then answered": noNetwork,
    "5 s slow": noNetwork,
    hang: noNetwork,
    "reset mid-answer": noNetwork,
    garbage: noNetwork,
    "wrong certificate, nothing sent": noNetwork,
    "TLS 1.2 only": noNetwork,
    "credentials renewed mid-run": "one login a process",
  },
};

/** Two keys of one token, wrapping as `mechanism` says. */
export async function startPkcs11Stage(mechanism: "aes-gcm" | "aes-key-wrap" = "aes-gcm"): Promise<KmsStage> {
  const hsm = await SoftHsm.start();
  hsm.addKey("other");
  return {
    kek: hsm.config({ mechanism }),
    otherKek: hsm.config({ key: "other", mechanism }),
    secrets: [hsm.pin],
    [Symbol.asyncDispose]: () => hsm[Symbol.asyncDispose](),
  };
}
