import { hasCode, SealwrightError } from "../../../base/sealwright-error.ts";
import { printKeyringFile, type KeyringFile } from "../keyring-file.ts";
import { shardSeen, type KeyringStore, type StoredBytes, type StoredShard } from "../keyring-store.ts";
import { assertFits, dataKeyOf, dataOf, filesOf } from "./config-map.ts";
import type { ConfigMapName } from "./config-map-name.ts";
import { askKube, type KubeAnswer } from "./kube-api.ts";
import type { KubeAccess } from "./kube-access.ts";

/**
 * A keyring in a ConfigMap, by the API of the cluster. There is no lock: a change names the resource version that it was made of,
 * and the API refuses it where there is a newer one. Labels, annotations and whatever else the ConfigMap bears stay.
 */
export class ConfigMapStore implements KeyringStore {
  readonly location: string;
  readonly #map: ConfigMapName;
  /** Asked for at each request. */
  readonly #access: () => KubeAccess;

  constructor(map: ConfigMapName, access: () => KubeAccess) {
    this.location = `configmap:${map.namespace}/${map.name}`;
    this.#map = map;
    this.#access = access;
  }

  async read(): Promise<readonly StoredBytes[]> {
    const answer = await this.#ask("GET", this.#path);
    if (answer.status === 404) throw this.#failure("file_unreadable", "no such ConfigMap");
    return this.#filesIn(answer);
  }

  async create(files: readonly KeyringFile[]): Promise<void> {
    const { namespace, name } = this.#map;
    const data = dataOf(files);
    const message = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data };
    const answer = await this.#ask("POST", this.#folder, message);
    if (answer.status === 409) throw this.#failure("file_exists", "the ConfigMap exists");
    const stored = this.#filesIn(answer);
    for (const [key, text] of Object.entries(data)) this.#assertStored(stored, key, text);
  }

  async replace(seen: readonly StoredShard[], file: KeyringFile): Promise<void> {
    const key = dataKeyOf(file);
    const text = printKeyringFile(file);
    const before = shardSeen(seen, file);
    // What a hand has put there under another name would stand beside what is written here.
    if (before.name !== `${this.location} ${key}`) throw this.#failure("keyring_invalid", "a shard under a wrong name");
    assertFits([key.length + Buffer.byteLength(text), ...seen.filter((each) => each !== before).map(lengthOf)]);
    const message = { metadata: { resourceVersion: before.version }, data: { [key]: text } };
    try {
      const answer = await this.#ask("PATCH", this.#path, message);
      if (answer.status === 409 || answer.status === 404) throw this.#failure("keyring_busy", "changed meanwhile");
      this.#assertStored(this.#filesIn(answer), key, text);
    } catch (error) {
      // An answer that got lost says nothing of what was done.
      if (hasCode(error, "store_unavailable") && (await this.#holds(key, text))) return;
      throw error;
    }
  }

  exclusively<T>(task: () => Promise<T>): Promise<T> {
    return task();
  }

  get #folder(): string {
    return `/api/v1/namespaces/${this.#map.namespace}/configmaps`;
  }

  get #path(): string {
    return `${this.#folder}/${this.#map.name}`;
  }

  async #ask(method: "GET" | "POST" | "PATCH", path: string, message?: object): Promise<KubeAnswer> {
    try {
      return await askKube(this.#access(), { method, path, message });
    } catch (error) {
      throw error instanceof SealwrightError ? error.withFacts({ file: this.location }) : error;
    }
  }

  #filesIn({ status, body }: KubeAnswer): readonly StoredBytes[] {
    if (status === 429 || status >= 500) throw this.#failure("store_unavailable", `status ${status}`);
    if (status !== 200 && status !== 201) throw this.#failure("file_unreadable", `the API refuses: status ${status}`);
    try {
      return filesOf(body, this.#map).map((each) => ({ ...each, name: `${this.location} ${each.name}` }));
    } catch (error) {
      throw error instanceof SealwrightError ? error.withFacts({ file: this.location }) : error;
    }
  }

  #assertStored(files: readonly StoredBytes[], key: string, text: string): void {
    const stored = files.find(({ name }) => name === `${this.location} ${key}`);
    if (stored?.bytes.equals(Buffer.from(text)) !== true)
      throw this.#failure("keyring_invalid", "stored otherwise than sent");
  }

  async #holds(key: string, text: string): Promise<boolean> {
    try {
      this.#assertStored(await this.read(), key, text);
      return true;
    } catch {
      return false;
    }
  }

  #failure(
    code: "file_unreadable" | "file_exists" | "keyring_busy" | "keyring_invalid" | "store_unavailable",
    reason: string,
  ) {
    return new SealwrightError(code, { file: this.location, reason });
  }
}

function lengthOf({ bytes, file }: StoredShard): number {
  return dataKeyOf(file).length + bytes.length;
}
