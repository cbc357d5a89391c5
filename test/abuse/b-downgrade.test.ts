import { expect } from "chai";
import { once } from "node:events";
import { connect } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

import type { ErrorCode } from "../../src/base/error-table.ts";
import { abuse, codeOf, statusOf, type AbuseCase } from "../rig/abuse-case.ts";
import { json, longDocument, mapped, type Document } from "../rig/document.ts";
import { headerOf } from "../rig/http-reader.ts";
import { exchange, requestBytes } from "../rig/raw-client.ts";
import { identityHeaders, t1 } from "../rig/rig.ts";

/** A document with the case's canary in a mapped field. */
const secret = (test: AbuseCase): Document => json`{"n":1.0,"ssn":${mapped(`"${test.canary}"`)}}`;

describe("B: no way round the map", () => {
  abuse("B-01 JSON under another media type is refused", async (test) => {
    for (const contentType of [
      "text/plain",
      "application/octet-stream",
      "text/json",
      "application/jsonx",
      "*/*",
      "json",
    ]) {
      await test.refuses({ body: secret(test).bytes, contentType }, "media_type");
    }
  });

  abuse("B-02 a body without a media type is refused", (test) =>
    refuse(test, { body: secret(test).bytes, contentType: undefined }, "media_type"),
  );

  abuse("B-03 the spellings of JSON in UTF-8 are sealed", async (test) => {
    for (const contentType of [
      "application/json; charset=utf-8",
      "Application/JSON",
      'application/json ;charset="UTF-8"',
      "application/problem+json",
      "application/vnd.api+json",
    ]) {
      await test.seals(secret(test), { contentType });
    }
  });

  abuse("B-04 another charset, or two, are refused", async (test) => {
    for (const parameters of [
      "charset=utf-16",
      "charset=iso-8859-1",
      "charset=x-user-defined",
      "charset=utf-8; charset=utf-8",
      "charset=utf-8; charset=utf-16",
      'charset="utf-8',
    ]) {
      await test.refuses({ body: secret(test).bytes, contentType: `application/json; ${parameters}` }, "media_type");
    }
  });

  abuse("B-05 two Content-Type headers are refused", async (test) => {
    const body = secret(test).bytes;
    for (const [first, second] of [
      ["text/plain", "application/json"],
      ["application/json", "text/plain"],
      ["application/json", "application/json"],
    ] as const) {
      await test.refuses({ body, contentType: first, headers: [["Content-type", second]] }, "header_refused");
    }
  });

  abuse("B-06 a gzip body is decoded and sealed", async (test) => {
    const document = secret(test);
    const target = test.newPath();
    await test.seals(document, { target, body: gzipSync(document.bytes), headers: [["content-encoding", "gzip"]] });
    const request = test.mark.requests.at(-2)!;
    expect(headerOf(request, "content-encoding")).to.equal(undefined);
    expect(headerOf(request, "content-length")).to.equal(String(request.body.length));
  });

  abuse("B-07 one known coding is decoded, chains and unknown ones are refused", async (test) => {
    const document = secret(test);
    const gzip = gzipSync(document.bytes);
    const known: readonly (readonly [string, Buffer])[] = [
      ["x-gzip", gzip],
      ["GZIP", gzip],
      ["identity, gzip", gzip],
      ["identity", document.bytes],
      ["deflate", deflateSync(document.bytes)],
      ["br", brotliCompressSync(document.bytes)],
      ["zstd", zstdCompressSync(document.bytes)],
    ];
    for (const [coding, body] of known) await test.seals(document, { body, headers: [["content-encoding", coding]] });
    for (const coding of [
      "gzip, gzip",
      "br, gzip",
      "gzip,gzip,gzip,gzip,gzip,gzip,gzip",
      "foo",
      "gzip;q=1",
      "aws-chunked",
    ]) {
      const headers = [["content-encoding", coding]] as const;
      await test.refuses({ body: gzipSync(gzip), headers }, "content_encoding");
    }
    const twice = [
      ["content-encoding", "gzip"],
      ["content-encoding", "gzip"],
    ] as const;
    await test.refuses({ body: gzipSync(gzip), headers: twice }, ["content_encoding", "header_refused"]);
  });

  abuse("B-07 a body that is not in the coding it names is refused", async (test) => {
    for (const coding of ["gzip", "deflate", "br", "zstd"]) {
      await test.refuses({ body: secret(test).bytes, headers: [["content-encoding", coding]] }, [
        "content_encoding",
        "json_invalid",
      ]);
    }
  });

  abuse("B-08 two gzip members are two documents and refused", async (test) => {
    const body = Buffer.concat([gzipSync('{"name":"x"}'), gzipSync(secret(test).bytes)]);
    const headers = [["content-encoding", "gzip"]] as const;
    await test.refuses({ body, headers }, ["json_invalid", "content_encoding"]);
  });

  abuse("B-09 forms, multipart and JSON lines are refused", async (test) => {
    const form = `ssn=${test.canary}`;
    const part = `--b\r\ncontent-type: application/json\r\n\r\n${secret(test).bytes.toString()}\r\n--b--\r\n`;
    await test.refuses({ body: form, contentType: "application/x-www-form-urlencoded" }, "media_type");
    await test.refuses({ body: part, contentType: "multipart/form-data; boundary=b" }, "media_type");
    await test.refuses(
      { body: `{}\n${secret(test).bytes.toString()}\n`, contentType: "application/x-ndjson" },
      "media_type",
    );
    await test.refuses(
      { body: `\x1e${secret(test).bytes.toString()}`, contentType: "application/json-seq" },
      "media_type",
    );
    await test.refuses({ body: "[]", contentType: "application/json-patch+json" }, "media_type");
  });

  abuse("B-10 a query that names a mapped field is refused", async (test) => {
    for (const query of [
      `ssn=${test.canary}`,
      `filter=${encodeURIComponent(`{"ssn":"${test.canary}"}`)}`,
      `q=${encodeURIComponent(`ssn eq '${test.canary}'`)}`,
      `contacts%5Bphone%5D=${test.canary}`,
      `SSN=${test.canary}`,
    ]) {
      await test.refuses({ method: "POST", target: `/v1/patients?${query}`, body: secret(test).bytes }, "mapped_query");
      await test.refuses({ method: "GET", target: `/v1/patients/1?${query}` }, "mapped_query");
    }
    const sorted = await test.rig.send({ target: `${test.newPath()}?sort=ssn&limit=10`, body: secret(test).bytes });
    expect(statusOf(sorted.answers[0])).to.be.oneOf([201, 204]);
  });

  abuse("B-11 method and path overrides are refused", async (test) => {
    const body = secret(test).bytes;
    for (const name of [
      "X-HTTP-Method-Override",
      "X-Method-Override",
      "X-HTTP-Method",
      "X-Original-URL",
      "X-Rewrite-URL",
    ]) {
      await test.refuses({ method: "POST", target: "/v1/patients", body, headers: [[name, "PUT"]] }, "header_refused");
      await test.refuses({ headers: [[name, "PUT"]] }, "header_refused");
    }
    await test.refuses({ method: "POST", target: "/v1/patients?_method=PUT", body }, "header_refused");
  });

  abuse("B-12 other spellings of a mapped path are refused or mapped", async (test) => {
    const body = secret(test).bytes;
    for (const target of [
      "/v1//patients",
      "//v1/patients",
      "/v1/./patients",
      "/v1/x/../patients",
      "/v1/x/%2e%2e/patients",
      "/v1/patients/",
      "/V1/Patients",
      "/v1/PATIENTS",
      "/v1/patients;a=b",
      "/v1/patients%2f",
      "/v1/patients%2F1",
      "/v1/patients%00",
      "/v1/patients%5c",
      "/v1/%2570atients",
      "/v1/patients#x",
      "/v1\\patients",
      "/v1/pätients",
      "/v1/public/../patients",
      "/v1/public/%2e%2e/patients",
      "http://store.test/v1/patients",
    ]) {
      const refusals: ErrorCode[] = ["path_refused", "no_route", "http_invalid", "method_not_allowed"];
      await test.refuses({ method: "POST", target, body }, refusals).catch((cause: unknown) => {
        throw new Error(`${target}: ${cause instanceof Error ? cause.message : ""}`, { cause });
      });
    }
    const spelled = await test.rig.send({ method: "POST", target: "/v1/%70atients?a=b", body });
    expect(statusOf(spelled.answers[0])).to.equal(201);
    const [request] = test.mark.requests.slice(-1);
    expect(request?.start).to.equal("POST /v1/%70atients?a=b HTTP/1.1");
    expect(request?.body.includes("swr1.")).to.be.true;
  });

  abuse("B-13 a path that no route matches is refused unless the file says otherwise", async (test) => {
    await test.refuses({ method: "POST", target: "/v1/newthing", body: secret(test).bytes }, "no_route");
    await test.refuses({ target: "/v1/newthing" }, "no_route");
    await test.refuses({ target: "/" }, "no_route");
  });

  abuse("B-14 methods that the map does not name are refused", async (test) => {
    for (const method of ["PROPFIND", "QUERY", "TRACE", "DELETE", "OPTIONS", "POST"]) {
      const target = method === "POST" ? "/v1/patients/1" : "/v1/patients";
      const answer = await test.refuses({ method, target, body: secret(test).bytes }, "method_not_allowed");
      expect(headerOf(answer, "allow")).to.be.a("string");
    }
    const connected = await test.rig.send({ method: "CONNECT", target: "store.test:443", tenant: t1 });
    expect(codeOf(connected.answers[0])).to.be.oneOf(["method_not_allowed", "http_invalid"]);
    expect(test.mark.requests).to.be.empty;
  });

  for (const after of ["end", "reset"] as const) {
    abuse(`B-16 a client that goes away in mid-body (${after}) leaves no finished request`, async (test) => {
      const whole = longDocument(longDocument(secret(test))).bytes;
      for (const framing of ["content-length", "transfer-encoding"] as const) {
        const sized = framing === "content-length";
        const head = requestBytes({
          method: "PUT",
          target: test.newPath(),
          headers: [
            ...identityHeaders,
            ["x-tenant-id", t1],
            ["content-type", "application/json"],
            [framing, sized ? String(whole.length + 1) : "chunked"],
          ],
        });
        const size = `${whole.length.toString(16)}\r\n`;
        const bytes = sized ? [head, whole] : [head, size, whole, "\r\n"];
        await exchange({ port: test.rig.sidecar.port, bytes, methods: ["PUT"], after, timeoutMs: 2_000 });
        expect(test.mark.requests, framing).to.be.empty;
      }
    });
  }

  abuse("B-16 a short body that ends early never reaches the upstream", async (test) => {
    const socket = connect(test.rig.sidecar.port, "127.0.0.1");
    await once(socket, "connect");
    const head = `PUT ${test.newPath()} HTTP/1.1\r\nhost: a\r\nx-tenant-id: ${t1}\r\ncontent-type: application/json\r\n`;
    socket.write(`${head}content-length: 4096\r\n\r\n${secret(test).bytes.toString()}`);
    await new Promise((settle) => setTimeout(settle, 50));
    socket.resetAndDestroy();
    await new Promise((settle) => setTimeout(settle, 50));
    expect(test.mark.upstreamBytes.every(({ bytes }) => bytes.length === 0)).to.be.true;
  });

  abuse("B-17 a sealed value from the client is refused, what only looks like one is sealed", async (test) => {
    const [token = ""] = await test.seals(secret(test));
    const escaped = token.replace("swr1.", "\\u0073wr1\\u002e");
    for (const value of [token, escaped]) {
      await test.refuses({ body: `{"ssn":"${value}"}` }, "already_sealed");
      await test.refuses({ body: longDocument(json`{"contacts":[{"phone":"${value}"}]}`).bytes }, "already_sealed");
    }
    for (const value of [
      "swr1.",
      "swr1.AAAA",
      `${token}=`,
      `${token} `,
      `x${token}`,
      token.replace("swr1", "swr2"),
      "enc:v1:AAAA",
    ]) {
      await test.seals(json`{"ssn":${mapped(`"${value}"`)}}`);
    }
  });

  abuse("B-18 a clear value where a sealed one must be fails the answer", async (test) => {
    const path = test.newPath();
    for (const clear of ['"078-05-1120"', "78051120", '{"a":1}', "[1]", "true", '""']) {
      test.rig.upstream.plant(path, `{"ssn":${clear}}`);
      await test.failsToOpen(path);
    }
    test.rig.upstream.plant(path, '{"ssn":null,"n":1}');
    await test.reads(path, Buffer.from('{"ssn":null,"n":1}'));
  });

  abuse("B-18 in phase migrate a clear value passes and is counted", async (test) => {
    const metric = "sealwright_clear_values_passed_total";
    const before = await test.rig.sidecar.metric(metric);
    const path = test.newPath("/v1/moving");
    test.rig.upstream.plant(path, '{"ssn":"clear","n":1}');
    await test.reads(path, Buffer.from('{"ssn":"clear","n":1}'));
    expect(await test.rig.sidecar.metric(metric)).to.equal(before + 1);
  });
});

async function refuse(test: AbuseCase, send: Parameters<AbuseCase["refuses"]>[0], code: ErrorCode): Promise<void> {
  await test.refuses(send, code);
}
