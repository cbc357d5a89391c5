import { expect } from "chai";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

import { abuse, codeOf, statusOf, type AbuseCase } from "../rig/abuse-case.ts";
import { json, mapped } from "../rig/document.ts";
import { readEnvelope, tokenOf } from "../rig/envelope.ts";
import { headerOf, headerValues, type HttpMessage } from "../rig/http-reader.ts";
import { denied } from "../rig/kms-stand-in.ts";
import { t1, t2 } from "../rig/rig.ts";

interface Written {
  readonly path: string;
  readonly token: string;
  readonly clear: Buffer;
}

async function write(test: AbuseCase): Promise<Written> {
  const path = test.newPath();
  const document = json`{"ssn":${mapped(`"${test.canary}"`)}}`;
  const [token = ""] = await test.seals(document, { target: path });
  return { path, token, clear: document.bytes };
}

async function read(
  test: AbuseCase,
  path: string,
  headers: readonly (readonly [string, string])[] = [],
): Promise<HttpMessage> {
  const outcome = await test.rig.send({ target: path, headers });
  expect(outcome.answers, "answers").to.have.length(1);
  return outcome.answers[0]!;
}

const jsonType = { "content-type": "application/json" };

describe("J: answers", () => {
  abuse("J-01 an error page that echoes the request stays sealed", async (test) => {
    const { path, token } = await write(test);
    for (const [status, type] of [
      [404, "application/json"],
      [409, "application/problem+json"],
      [500, "text/html"],
      [302, "application/json"],
    ] as const) {
      const body = `{"ssn":"${token}"}`;
      test.rig.upstream.script(path, { kind: "answer", status, headers: { "content-type": type }, body });
      const answer = await read(test, path);
      expect(statusOf(answer)).to.equal(status);
      expect(answer.body.toString()).to.equal(body);
    }
    test.rig.upstream.script(path, {
      kind: "answer",
      headers: { "content-type": "text/html" },
      body: `<p>${token}</p>`,
    });
    test.expectRefusal(await read(test, path), "response_unreadable");
  });

  abuse(
    "J-02 a value put where its reader may look opens nowhere but at home",
    async (test) => {
      const { path, token } = await write(test);
      const body = (place: string): string => place.replace("?", `"${token}"`);
      for (const place of ['{"notes":?}', '{"email":?}', '{"contacts":[{"phone":?}]}']) {
        test.rig.upstream.plant(path, body(place));
        await test.failsToOpen(path);
      }
      // Where no rule looks it stays what it is.
      test.rig.upstream.plant(path, body('{"x":?,"ssn":null,"y":{"ssn":?}}'.replace("?", `"${token}"`)));
      await test.reads(path, Buffer.from(`{"x":"${token}","ssn":null,"y":{"ssn":"${token}"}}`));
      // Another route, record, dataset and tenant.
      test.rig.upstream.script("/v1/reports", {
        kind: "answer",
        headers: jsonType,
        body: body('{"rows":[{"ssn":?}]}'),
      });
      const report = await test.rig.send({ method: "POST", target: "/v1/reports", body: "{}" });
      test.expectRefusal(report.answers[0], "open_failed");
      const other = test.newPath("/v1/people");
      test.rig.upstream.plant(other, body('{"ssn":?}'));
      await test.failsToOpen(other);
      const foreign = await test.rig.send({ target: path, tenant: t2 });
      expect(foreign.answers[0]?.body.includes(test.canary)).to.be.false;
    },
    // Inline, the key service is asked under the contexts of the other dataset and of the other tenant.
    { kmsCalls: 2 },
  );

  abuse(
    "J-03 every failure to open has one answer, and no cause shows in its time",
    async (test) => {
      const { path, token } = await write(test);
      const { bytes, bodyAt } = readEnvelope(token);
      const flipped = (at: number): string => {
        const copy = Buffer.from(bytes);
        copy[at]! ^= 1;
        return tokenOf(copy);
      };
      const causes: Readonly<Record<string, string>> = {
        tag: flipped(bytes.length - 1),
        nonce: flipped(bodyAt),
        "key id": flipped(2),
        suite: flipped(0),
        version: token.replace("swr1.", "swr9."),
        base64: `${token}=`,
        clear: test.newPath(),
      };
      const times = new Map<string, number[]>(Object.keys(causes).map((cause) => [cause, []]));
      const answers = new Set<string>();
      for (let round = 0; round < 60; round++) {
        for (const [cause, value] of Object.entries(causes)) {
          test.rig.upstream.plant(path, `{"ssn":"${value}"}`);
          const outcome = await test.rig.send({ target: path });
          test.expectRefusal(outcome.answers[0], "open_failed");
          answers.add(seen(outcome.answers[0]!));
          times.get(cause)!.push(outcome.durationMs);
        }
      }
      expect([...answers], "answers").to.have.length(1);
      const medians = [...times.values()].map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0);
      expect(Math.max(...medians) - Math.min(...medians), "ms between medians").to.be.below(1);
    },
    { kmsCalls: 2 },
  );

  abuse(
    "J-03 a denied key service and another tenant look the same",
    async (test) => {
      const { path, token } = await write(test);
      test.rig.kms.fault = () => denied;
      test.rig.upstream.plant(path, `{"ssn":"${token}"}`);
      const foreign = await test.rig.send({ target: path, tenant: t2 });
      test.rig.upstream.plant(path, `{"ssn":"${token}A"}`);
      const malformed = await test.rig.send({ target: path, tenant: t2 });
      test.expectRefusal(foreign.answers[0], "open_failed");
      expect(seen(foreign.answers[0]!)).to.equal(seen(malformed.answers[0]!));
    },
    { kmsCalls: 1 },
  );

  abuse("J-04 digests go, the ETag stays, and nothing hashes the plaintext", async (test) => {
    const { path, token, clear } = await write(test);
    const body = `{"ssn":"${token}"}`;
    const md5 = createHash("md5").update(body).digest("base64");
    const digests = {
      "content-md5": md5,
      digest: `md5=${md5}`,
      "content-digest": "sha-256=:AA==:",
      "repr-digest": "sha-256=:AA==:",
    };
    const headers = {
      ...jsonType,
      ...digests,
      etag: '"stored-1"',
      "accept-ranges": "bytes",
      "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT",
    };
    test.rig.upstream.script(path, { kind: "answer", headers, body });
    const answer = await read(test, path, [["if-none-match", '"stored-0"']]);
    expect(answer.body.equals(clear)).to.be.true;
    for (const name of [...Object.keys(digests), "accept-ranges"])
      expect(headerOf(answer, name), name).to.equal(undefined);
    expect(headerOf(answer, "etag")).to.equal('"stored-1"');
    expect(headerOf(answer, "content-length")).to.equal(String(clear.length));
    expect(headerOf(test.mark.requests.at(-1)!, "if-none-match")).to.equal('"stored-0"');

    const sent = Object.entries({ ...digests, "want-digest": "md5" });
    await test.rig.send({ target: path, body: clear, headers: sent });
    const request = test.mark.requests.at(-1)!;
    for (const name of Object.keys(digests)) expect(headerOf(request, name), name).to.equal(undefined);
  });

  abuse("J-05 a range is never answered with a slice", async (test) => {
    const { path, clear } = await write(test);
    for (const headers of [
      [["range", "bytes=0-9"]],
      [
        ["range", "bytes=0-9"],
        ["if-range", '"a"'],
      ],
    ] as const) {
      const answer = await read(test, path, headers);
      expect(statusOf(answer)).to.equal(200);
      expect(answer.body.equals(clear)).to.be.true;
      const request = test.mark.requests.at(-1)!;
      expect(headerValues(request, "range")).to.be.empty;
      expect(headerValues(request, "if-range")).to.be.empty;
    }
    const partial = { ...jsonType, "content-range": "bytes 0-9/100" };
    test.rig.upstream.script(path, { kind: "answer", status: 206, headers: partial, body: '{"ssn":"sw' });
    test.expectRefusal(await read(test, path), "response_unreadable");
  });

  abuse("J-06 opened answers are for no cache", async (test) => {
    const { path, token } = await write(test);
    for (const cacheControl of ["public, max-age=3600", "immutable", ""]) {
      const headers = { ...jsonType, "cache-control": cacheControl, vary: "accept" };
      test.rig.upstream.script(path, { kind: "answer", headers, body: `{"ssn":"${token}"}` });
      const answer = await read(test, path);
      expect(headerOf(answer, "cache-control")).to.equal("private, no-store");
      expect(headerOf(answer, "vary")?.toLowerCase()).to.include("x-tenant-id");
    }
  });

  abuse("J-07 opened answers are not compressed, and none is asked for", async (test) => {
    const { path, clear } = await write(test);
    const answer = await read(test, path, [["accept-encoding", "gzip, br, zstd"]]);
    expect(headerOf(answer, "content-encoding")).to.equal(undefined);
    expect(answer.body.equals(clear)).to.be.true;
    expect(headerOf(test.mark.requests.at(-1)!, "accept-encoding")).to.equal("identity");
  });

  abuse("J-08 a compressed answer is decoded and opened, or refused, never passed unread", async (test) => {
    const { path, token, clear } = await write(test);
    const body = gzipSync(`{"ssn":"${token}"}`);
    test.rig.upstream.script(path, { kind: "answer", headers: { ...jsonType, "content-encoding": "gzip" }, body });
    const answer = await read(test, path);
    expect(statusOf(answer)).to.equal(200);
    expect(answer.body.equals(clear)).to.be.true;
    expect(headerOf(answer, "content-encoding")).to.equal(undefined);
    for (const coding of ["gzip, gzip", "foo", "br"]) {
      test.rig.upstream.script(path, { kind: "answer", headers: { ...jsonType, "content-encoding": coding }, body });
      const refused = await read(test, path);
      expect(statusOf(refused), coding).to.equal(502);
      expect(codeOf(refused), coding).to.be.oneOf(["response_unreadable", "content_encoding"]);
    }
  });

  abuse("J-09 an answer with two meanings is refused", async (test) => {
    const { path, token } = await write(test);
    for (const body of [`{"ssn":"${token}","ssn":"x"}`, `{"ssn":"x","\\u0073sn":"${token}"}`, `{"ssn":"${token}"}{}`]) {
      test.rig.upstream.plant(path, body);
      const answer = await read(test, path);
      expect(statusOf(answer)).to.equal(502);
      expect(codeOf(answer)).to.be.oneOf(["duplicate_key", "json_invalid"]);
      expect(answer.body.includes(test.canary)).to.be.false;
    }
  });

  abuse("J-10 a sealed value in a header passes sealed", async (test) => {
    const { path, token } = await write(test);
    const headers = { ...jsonType, location: `/x?ssn=${token}`, "set-cookie": `ssn=${token}; HttpOnly` };
    test.rig.upstream.script(path, { kind: "answer", status: 303, headers, body: "{}" });
    const answer = await read(test, path);
    expect(statusOf(answer)).to.equal(303);
    expect(headerOf(answer, "location")).to.equal(`/x?ssn=${token}`);
    expect(headerOf(answer, "set-cookie")).to.equal(`ssn=${token}; HttpOnly`);
  });

  abuse(
    "J-10 a document that could not be opened may stay sealed where the map says so, and is counted",
    async (test) => {
      const path = test.newPath("/v1/moving");
      const [token = ""] = await test.seals(json`{"ssn":${mapped(`"${test.canary}"`)}}`, { target: path, tenant: t1 });
      const elsewhere = test.newPath("/v1/moving");
      const before = await test.rig.sidecar.metric("sealwright_sealed_values_kept_total");
      test.rig.upstream.plant(elsewhere, `{"ssn":"${token}"}`);
      await test.reads(elsewhere, Buffer.from(`{"ssn":"${token}"}`));
      expect(await test.rig.sidecar.metric("sealwright_sealed_values_kept_total")).to.equal(before + 1);
    },
  );
});

/** Everything a client can see of an answer but the time of day. */
function seen(answer: HttpMessage): string {
  const headers = answer.headers.filter(({ name }) => name.toLowerCase() !== "date");
  return JSON.stringify([answer.start, headers, answer.body.toString("latin1")]);
}
