import { readFile } from "node:fs/promises";
import { z } from "zod";
import { SealwrightError } from "../../base/sealwright-error.ts";
import { readSecretFile } from "../secret-file.ts";
import type { VaultAppRoleAuth, VaultAuth, VaultCertAuth, VaultKubernetesAuth } from "./vault-auth.ts";
import { statusRefusal } from "./vault-error.ts";
import type { VaultHttp } from "./vault-http.ts";

/** A token and what is known of it. */
export interface VaultGrant {
  readonly token: string;
  /** From when it was asked for; `Infinity` = it has no end, or nobody may know it. */
  readonly lifeMs: number;
  readonly renewable: boolean;
}

/** Port: where tokens come from. */
export interface VaultLogin {
  /** True for tokens that this process had made for itself, and takes back when it ends. */
  readonly owned: boolean;
  /** Throws `kms_denied`, `kms_unavailable`, `kms_broken`. */
  login(): Promise<VaultGrant>;
  /** True when another token than `token` is to be used from now on. */
  isReplaced(token: string): Promise<boolean>;
}

type LoginHttp = Pick<VaultHttp, "ask" | "readFilesAnew">;

const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";
const longestFile = 32 * 1024;
const tokenForm = /^[\x21-\x7e]{1,16384}$/;

const grant = z
  .object({
    auth: z.object({
      client_token: z.string().regex(tokenForm),
      lease_duration: z.number().min(0),
      renewable: z.boolean(),
    }),
  })
  .transform(({ auth }): VaultGrant => ({
    token: auth.client_token,
    lifeMs: auth.lease_duration === 0 ? Number.POSITIVE_INFINITY : auth.lease_duration * 1000,
    renewable: auth.renewable,
  }));

/** What an answer of a login or a renewal grants. Throws `kms_broken`. */
export function readVaultGrant(body: unknown): VaultGrant {
  const parsed = grant.safeParse(body);
  if (!parsed.success) throw new SealwrightError("kms_broken", { reason: "no token in the answer" });
  return parsed.data;
}

export function vaultLogin(auth: VaultAuth, http: LoginHttp): VaultLogin {
  return auth.method === "token" ? new FileToken(auth.tokenFile, http) : new MethodLogin(auth, http);
}

type MethodAuth = VaultKubernetesAuth | VaultAppRoleAuth | VaultCertAuth;

/** Has a method of the service make tokens. What proves who we are is read anew each time. */
class MethodLogin implements VaultLogin {
  readonly owned = true;
  readonly #auth: MethodAuth;
  readonly #http: LoginHttp;

  constructor(auth: MethodAuth, http: LoginHttp) {
    this.#auth = auth;
    this.#http = http;
  }

  async login(): Promise<VaultGrant> {
    await this.#http.readFilesAnew();
    const { method, mount = method } = this.#auth;
    const message = await proofOf(this.#auth);
    const { status, body } = await this.#http.ask({ method: "POST", path: `auth/${mount}/login`, message });
    if (status === 200) return readVaultGrant(body);
    // Every method has its own words for "not you" in an answer 400.
    throw status === 400 ? new SealwrightError("kms_denied", { reason: "login refused" }) : statusRefusal(status, true);
  }

  isReplaced(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

async function proofOf(auth: MethodAuth): Promise<Readonly<Record<string, unknown>>> {
  switch (auth.method) {
    case "kubernetes":
      return { role: auth.role, jwt: await publicWord(auth.tokenFile ?? serviceAccountToken) };
    case "approle":
      return { role_id: auth.roleId, secret_id: await secretWord(auth.secretIdFile) };
    case "cert":
      return auth.role === undefined ? {} : { name: auth.role };
  }
}

const lookedUp = z.object({
  data: z.object({ ttl: z.number().min(0), expire_time: z.string().nullish(), renewable: z.boolean().default(false) }),
});

/** A token that others keep in a file. */
class FileToken implements VaultLogin {
  readonly owned = false;
  readonly #file: string;
  readonly #http: LoginHttp;

  constructor(file: string, http: LoginHttp) {
    this.#file = file;
    this.#http = http;
  }

  async login(): Promise<VaultGrant> {
    await this.#http.readFilesAnew();
    const token = await secretWord(this.#file);
    const { status, body } = await this.#http.ask({ method: "GET", path: "auth/token/lookup-self", token });
    // A token may be good and not allowed to look at itself: whether it is good shows where it is used.
    if (status === 403) return { token, lifeMs: Number.POSITIVE_INFINITY, renewable: false };
    if (status !== 200) throw statusRefusal(status, true);
    const parsed = lookedUp.safeParse(body);
    if (!parsed.success) throw new SealwrightError("kms_broken", { reason: "no token in the answer" });
    const { ttl, expire_time: end, renewable } = parsed.data.data;
    return { token, lifeMs: typeof end === "string" ? ttl * 1000 : Number.POSITIVE_INFINITY, renewable };
  }

  /** A file that is not there just now changes nothing: the token that is known may go on. */
  async isReplaced(token: string): Promise<boolean> {
    const now = await secretWord(this.#file).catch(() => token);
    return now !== token;
  }
}

/** Of a file that nobody but its owner and its group may read. */
function secretWord(file: string): Promise<string> {
  return wordOf(() => readSecretFile(file, { longest: longestFile, readers: "group" }), file);
}

/** Kubernetes mounts service account tokens with modes of its own. */
function publicWord(file: string): Promise<string> {
  return wordOf(() => readFile(file), file);
}

/** Where there is none the service has not been asked, and has said nothing about the key. */
async function wordOf(read: () => Promise<Buffer>, file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await read();
  } catch (error) {
    throw new SealwrightError("kms_unavailable", { reason: "no credentials", file }, error);
  }
  const word = bytes.toString("latin1").trim();
  bytes.fill(0);
  if (tokenForm.test(word)) return word;
  throw new SealwrightError("kms_unavailable", { reason: "form of the credentials", file });
}
