import { once } from "node:events";
import { createServer, type Server } from "node:http";

import type nano from "nano";
import type { Dispatcher } from "undici";

import { requireDevPackage } from "./dev-packages.ts";
import type { Patient } from "./sample-patients.ts";

/** Where the app keeps its patients: a URL and, on the direct path only, the dispatcher that shows a client certificate. */
export interface StoreAddress {
  readonly url: string;
  readonly database: string;
  readonly dispatcher?: Dispatcher;
}

export type StoredPatient = Patient & { readonly _id: string; readonly _rev: string };

/**
 * The legacy app: it knows CouchDB through its usual client, nano, unmodified, and has never heard of Sealwright. Failures
 * are nano's own, with `statusCode` and the answer's members.
 */
export class LegacyApp {
  readonly #server: nano.ServerScope;
  readonly #database: string;
  readonly #patients: nano.DocumentScope<Patient>;

  constructor(address: StoreAddress) {
    const connect = requireDevPackage("nano") as typeof nano;
    const { url, database, dispatcher } = address;
    // nano takes an undici dispatcher here; its types name the class instead of its instances.
    const agent = dispatcher as unknown as NonNullable<nano.Configuration["agentOptions"]>;
    this.#server = connect(dispatcher === undefined ? { url } : { url, agentOptions: agent });
    this.#database = database;
    this.#patients = this.#server.use<Patient>(database);
  }

  async createDatabase(): Promise<void> {
    await this.#server.db.create(this.#database);
  }

  /** PUT with the app's own id, or with a changed document that carries its `_rev`. */
  async put(id: string, patient: Patient): Promise<string> {
    return (await this.#patients.insert({ ...patient }, id)).id;
  }

  /** POST: the id is in the document or the store makes one. */
  async post(patient: Patient): Promise<string> {
    return (await this.#patients.insert({ ...patient })).id;
  }

  read(id: string): Promise<StoredPatient> {
    return this.#patients.get(id);
  }

  async list(): Promise<StoredPatient[]> {
    const { rows } = await this.#patients.list({ include_docs: true });
    return documentsOf(rows);
  }

  async fetch(ids: readonly string[]): Promise<StoredPatient[]> {
    const { rows } = await this.#patients.fetch({ keys: [...ids] });
    return documentsOf(rows);
  }

  async bulk(patients: readonly Patient[]): Promise<string[]> {
    const answers = await this.#patients.bulk({ docs: [...patients] });
    return answers.map(({ id }) => id);
  }

  /** A Mango query; makes its index first. */
  async findByWard(ward: string): Promise<StoredPatient[]> {
    await this.#patients.createIndex({ index: { fields: ["ward"] }, name: "by-ward" });
    return this.find({ ward });
  }

  async find(selector: nano.MangoSelector): Promise<StoredPatient[]> {
    const { docs } = await this.#patients.find({ selector, fields: ["_id", "_rev", "ward", "ssn", "fullName"] });
    return docs;
  }

  /** What changed, with documents: all at once, or as a feed that never ends. */
  async changes(feed: "normal" | "continuous"): Promise<StoredPatient[]> {
    const qs = { feed, include_docs: true };
    const answer: unknown = await this.#server.request({ db: this.#database, path: "_changes", qs });
    return documentsOf((answer as { readonly results: readonly object[] }).results);
  }

  /** Adds a file to a patient and reads it back. */
  async attach(id: string, bytes: Buffer): Promise<Buffer> {
    const { _rev: rev } = await this.read(id);
    await this.#patients.attachment.insert(id, "scan.bin", bytes, "application/octet-stream", { rev });
    return this.#patients.attachment.get(id, "scan.bin");
  }

  /** Document and attachment in one `multipart/related` body. */
  async putMultipart(id: string, patient: Patient): Promise<void> {
    const file = { name: "scan.bin", data: Buffer.from("scan"), content_type: "application/octet-stream" };
    await this.#patients.multipart.insert({ ...patient }, [file], id);
  }

  /** The app's own front door: `GET /patients/ID` over plain HTTP on loopback. */
  async serve(port: number): Promise<Server> {
    const server = createServer((request, response) => {
      const id = /^\/patients\/([\w-]+)$/.exec(request.url ?? "")?.[1] ?? "";
      this.read(id).then(
        (patient) => response.setHeader("content-type", "application/json").end(JSON.stringify(patient)),
        () => response.writeHead(502).end(),
      );
    });
    await once(server.listen(port, "127.0.0.1"), "listening");
    return server;
  }
}

function documentsOf(rows: readonly object[]): StoredPatient[] {
  return rows.flatMap((row) => ("doc" in row && row.doc !== undefined ? [row.doc as StoredPatient] : []));
}
