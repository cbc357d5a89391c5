import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { searchDisk } from "../../src/app/demo/disk-search.ts";

const secret = "Größe 219-09-9999";

describe("disk search", () => {
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sealwright-search-"));
    mkdirSync(join(folder, "deep/er"), { recursive: true });
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const utf8 = Buffer.from(secret);
  const spellings: Readonly<Record<string, Buffer>> = {
    "utf-8": utf8,
    "utf-16le": Buffer.from(secret, "utf16le"),
    "json escapes": Buffer.from("Gr\\u00f6\\u00dfe 219-09-9999"),
    hex: Buffer.from(utf8.toString("hex")),
    "hex in capitals": Buffer.from(utf8.toString("hex").toUpperCase()),
  };

  for (const [spelling, bytes] of Object.entries(spellings)) {
    it(`finds a text written as ${spelling}, deep in a folder, between other bytes`, () => {
      writeFileSync(join(folder, "deep/er/file"), Buffer.concat([Buffer.from([0, 255, 34]), bytes, Buffer.from([7])]));
      const found = searchDisk([folder], [secret, "nowhere"]);
      expect(found.files).to.equal(1);
      expect(found.hits.map(({ text }) => text)).to.deep.equal([secret]);
    });
  }

  for (const encoding of ["base64", "base64url"] as const) {
    for (const before of [0, 1, 2, 3, 4]) {
      it(`finds a text inside ${encoding}, ${before} bytes from its start`, () => {
        const inside = Buffer.concat([Buffer.alloc(before, 0xee), utf8, Buffer.from([0xfb, 0xff])]);
        writeFileSync(join(folder, "file"), inside.toString(encoding));
        expect(searchDisk([folder], [secret]).hits).to.not.be.empty;
      });
    }
  }

  it("finds nothing where there is nothing, and says how much it read", () => {
    writeFileSync(join(folder, "file"), "swr1.AAAA");
    expect(searchDisk([folder], [secret])).to.deep.equal({ files: 1, bytes: 9, hits: [] });
  });
});
