/**
 * The store of the benchmarks, a process of its own: TLS 1.3 with a required client certificate. POST and PUT answer the
 * request's body, as JSON; GET answers as many bytes of JSON as the path says (`/v1/bytes/1000000`).
 * Arguments: certificate, key, CA, port.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const [cert = "", key = "", ca = "", port = "0"] = process.argv.slice(2);
const json = { "content-type": "application/json" };
const filler = Buffer.from('"abcdefghijklmnopqrstuvwxyz012345",'.repeat(2048));

const server = createServer(
  {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ca: readFileSync(ca),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3",
    keepAliveTimeout: 60_000,
  },
  (request, response) => {
    if (request.method === "GET") {
      const wanted = Number(/\d+$/u.exec(request.url ?? "")?.[0] ?? "0");
      let sent = 0;
      response.writeHead(200, json);
      response.write('{"items":[');
      const more = (): void => {
        while (sent < wanted) {
          sent += filler.length;
          if (!response.write(filler)) return void response.once("drain", more);
        }
        response.end('""]}');
      };
      more();
      return;
    }
    if (request.url === "/v1/sink") {
      request.resume().once("end", () => response.writeHead(200, json).end("{}"));
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      const body = Buffer.concat(chunks);
      response.writeHead(200, { ...json, "content-length": body.length }).end(body);
    });
  },
);
server.listen(Number(port), "127.0.0.1", () => process.stdout.write("ready\n"));
