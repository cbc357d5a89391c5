/**
 * The demo's document store: the CouchDB HTTP API with leveldb files on disk, behind TLS 1.3 with a required client
 * certificate. Runs as a process of its own: `node document-store.ts --folder F --port N --lookout N --ca F --cert F --key F`.
 * Tells its parent what happens as JSON lines on stdout (StoreEvent) and ends when its stdin does, so it never outlives it.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer, type Server, type ServerOptions } from "node:https";
import { sep } from "node:path";
import { TLSSocket } from "node:tls";
import { parseArgs } from "node:util";

import { requireDevPackage } from "./dev-packages.ts";

/**
 * The only key exchange group that the store takes on its main port, so that every connection which works has negotiated it.
 * On its lookout port it takes any, for people whose tools do not know this one yet.
 */
export const storeGroup = "X25519MLKEM768";

export type StoreEvent =
  | { readonly event: "ready" }
  /** A peer with a good certificate has connected. `name` = the certificate's common name. */
  | { readonly event: "peer"; readonly name: string; readonly protocol: string; readonly cipher: string }
  /** A request of that peer has come in. */
  | { readonly event: "request"; readonly name: string; readonly path: string };

interface PouchDb {
  defaults(options: { readonly prefix: string; readonly compression: boolean }): PouchDb;
}

type CouchApi = (
  store: PouchDb,
  options: { readonly mode: string; readonly overrideMode: { readonly include: readonly string[] } },
) => RequestListener;

const tell = (event: StoreEvent): boolean => process.stdout.write(`${JSON.stringify(event)}\n`);

const peerName = (socket: TLSSocket): string => [socket.getPeerCertificate().subject.CN].flat().join(" ");

/** Tells of every peer and request. */
function listen(options: ServerOptions, api: RequestListener): Server {
  const server = createServer(options, api);
  server.on("secureConnection", (socket) => {
    const [protocol, cipher] = [socket.getProtocol() ?? "", socket.getCipher().name];
    tell({ event: "peer", name: peerName(socket), protocol, cipher });
  });
  server.prependListener("request", ({ socket, url = "" }) => {
    if (socket instanceof TLSSocket) tell({ event: "request", name: peerName(socket), path: url });
  });
  return server;
}

async function runStore(): Promise<void> {
  const text = { type: "string" } as const;
  const files = { folder: text, ca: text, cert: text, key: text };
  const { values } = parseArgs({ options: { ...files, port: text, lookout: text } });
  const { folder = "", port = "0", lookout = "0", ca = "", cert = "", key = "" } = values;

  // Uncompressed, so that a search of the files for clear text cannot miss any.
  const pouch = (requireDevPackage("pouchdb") as PouchDb).defaults({ prefix: `${folder}${sep}`, compression: false });
  const couchApi = requireDevPackage("express-pouchdb") as CouchApi;
  const api = couchApi(pouch, { mode: "minimumForPouchDB", overrideMode: { include: ["routes/find"] } });

  const options: ServerOptions = {
    ...{ ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) },
    ...{ requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3", keepAliveTimeout: 60_000 },
  };
  const main = listen({ ...options, ecdhCurve: storeGroup }, api).listen(Number(port), "127.0.0.1");
  const other = listen(options, api).listen(Number(lookout), "127.0.0.1");
  await Promise.all([once(main, "listening"), once(other, "listening")]);
  tell({ event: "ready" });

  process.stdin.resume().on("end", () => process.exit(0));
  process.on("SIGTERM", () => process.exit(0));
}

if (import.meta.main) await runStore();
