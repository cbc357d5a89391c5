import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

import { abuse } from "../rig/abuse-case.ts";
import { documentOf, json, mapped } from "../rig/document.ts";
import { runCommand } from "../rig/sidecar.ts";

describe("I: use of memory and time", () => {
  for (const [coding, compress] of Object.entries({
    gzip: gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
    zstd: zstdCompressSync,
  })) {
    abuse(`I-01 a ${coding} bomb in a mapped value is refused at the limit`, async (test) => {
      const bomb = compress(
        Buffer.concat([Buffer.from('{"ssn":"'), Buffer.alloc(20 * 1024 * 1024, "A"), Buffer.from('"}')]),
      );
      expect(bomb.length).to.be.below(64 * 1024);
      await test.refuses({ body: bomb, headers: [["content-encoding", coding]] }, "value_too_large");
    });
  }

  abuse(
    "I-02 a million mapped values, keys or bytes too many are refused",
    async (test) => {
      const list = (item: string, count: number): Buffer =>
        Buffer.from(Array.from({ length: count }, () => item).join(","));
      const body = (...parts: (string | Buffer)[]): Buffer => documentOf(parts).bytes;
      const phone = '{"phone":1}';
      await test.refuses({ body: body('{"contacts":[', list(phone, 1_000_000), "]}") }, "too_many_values");
      const keys = (from: number, count: number): string =>
        Array.from({ length: count }, (_, index) => `"k${from + index}":1`).join(",");
      await test.refuses({ body: `{${keys(0, 1_000_000)},"ssn":"${test.canary}"}` }, "too_many_keys");
      const objects = Array.from({ length: 1_000 }, () => `{${keys(0, 1_000)}}`).join(",");
      await test.refuses({ body: `{"a":[${objects}],"ssn":"${test.canary}"}` }, "too_many_keys");
      await test.refuses({ body: `{"${"k".repeat(5_000)}":1,"ssn":"${test.canary}"}` }, "name_too_long");
      await test.refuses({ body: body('{"ssn":"', Buffer.alloc(9 * 1024 * 1024, "A"), '"}') }, "value_too_large");
    },
    // A hundred thousand values are sealed before the limit is met: what is left of the stall is the collector's.
    { stallMs: 250 },
  );

  abuse("I-05 keys made to collide cost no more than others", async (test) => {
    // Array indexes hash to themselves in V8, so multiples of a power of two land in few buckets of a JavaScript Map.
    const colliding = Array.from({ length: 9_990 }, (_, index) => `"${index * 65_536}":1`).join(",");
    const ordinary = Array.from({ length: 9_990 }, (_, index) => `"key${index}":1`).join(",");
    const time = async (keys: string): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < 5; round++) {
        const started = performance.now();
        await test.seals(documentOf([`{${keys},"ssn":`, mapped(`"${test.canary}"`), "}"]));
        times.push(performance.now() - started);
      }
      return Math.min(...times);
    };
    const usual = await time(ordinary);
    expect(await time(colliding), "ms, colliding keys").to.be.below(usual * 4 + 20);
    const many = Array.from({ length: 50_000 }, (_, index) => `"${index * 65_536}":1`).join(",");
    await test.refuses({ body: `{${many},"ssn":"${test.canary}"}` }, "too_many_keys");
  });

  abuse("I-06 a descendant path costs time linear in the body", async (test) => {
    const wide = (width: number): Parameters<typeof documentOf>[0] => {
      const level = `{"a":[${"1,".repeat(width)}1],"n":`;
      return [level.repeat(60), '{"deep":', mapped(`"${test.canary}"`), "}", "}".repeat(60)];
    };
    const time = async (width: number): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < 5; round++) {
        const started = performance.now();
        await test.seals(documentOf(wide(width)), { target: test.newPath("/v1/people") });
        times.push(performance.now() - started);
      }
      return Math.min(...times);
    };
    await time(500);
    const [small, large] = [await time(500), await time(5_000)];
    expect(large, `ms for ten times ${small} ms`).to.be.below(10 * small * 2 + 20);
  });

  abuse("I-06 loading a map with a descendant path warns", async (test) => {
    expect(test.rig.sidecar.output.toString()).to.include('"reason":"descendant-cost"');
    await test.seals(json`{"x":[{"deep":${mapped(`"${test.canary}"`)}}]}`, { target: test.newPath("/v1/people") });
  });

  abuse(
    "I-07 filters and patterns in a path are refused at load, where they stand",
    async (test) => {
      const paths = ["$[?match(@.a, '(a+)+$')]", "$[?search(@.a, '(a|a)*b')]", "$.a[?@.b == 1]", "$[?length(@.a) > 3]"];
      const fields = paths.map((path, index) => `  - { name: f${index}, path: "${path}" }`);
      const folder = test.rig.folder.path;
      const map = `apiVersion: sealwright.dev/v1\nkind: FieldMap\ndataset: patients\ntenant: { constant: a }\nfields:\n${fields.join("\n")}\nroutes:\n  - { match: { methods: [PUT], path: /a }, record: none, request: { seal: [$] } }\n`;
      await writeFile(join(folder, "filters.yaml"), map);
      const sidecar = `apiVersion: sealwright.dev/v1\nkind: Sidecar\nfieldMaps: [filters.yaml]\nlisteners:\n  - { name: a, direction: outbound, listen: "127.0.0.1:1", upstream: { url: "http://127.0.0.1:2" } }\n`;
      await writeFile(join(folder, "filters-sidecar.yaml"), sidecar);
      const result = await runCommand({ folder, args: ["check", "-c", "filters-sidecar.yaml", "--json"] });
      expect(result.code).to.equal(1);
      const { problems } = JSON.parse(result.stdout) as {
        problems: readonly { file: string; line: number; rule: string }[];
      };
      const lines = problems.filter((problem) => problem.file.endsWith("filters.yaml")).map((problem) => problem.line);
      expect(lines).to.include.members([6, 7, 8, 9]);
    },
    { forms: ["inline"] },
  );
});
