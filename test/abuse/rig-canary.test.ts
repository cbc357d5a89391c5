import { expect } from "chai";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

import { canaryRoot, newCanary, search } from "../rig/canary.ts";

describe("canary search", () => {
  const text = newCanary();
  const inside = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from('{"a":"'), bytes, Buffer.from('"}')]);
  const hidden: Readonly<Record<string, Buffer>> = {
    raw: Buffer.from(text),
    "JSON escapes": Buffer.from(
      Array.from(text, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
    ),
    "one JSON escape": Buffer.from(text.replace("C", "\\u0043")),
    "percent escapes": Buffer.from(Array.from(text, (c) => `%${c.charCodeAt(0).toString(16)}`).join("")),
    hex: Buffer.from(Buffer.from(text).toString("hex")),
    "upper-case hex": Buffer.from(Buffer.from(text).toString("hex").toUpperCase()),
    "UTF-16LE": Buffer.from(text, "utf16le"),
    "UTF-16BE": Buffer.from(text, "utf16le").swap16(),
    base64: Buffer.from(Buffer.from(text).toString("base64")),
    "base64 one on": Buffer.from(Buffer.from(`x${text}`).toString("base64")),
    "base64 two on": Buffer.from(Buffer.from(`xy${text}`).toString("base64")),
    base64url: Buffer.from(Buffer.from(`x?>${text}`).toString("base64url")),
  };

  for (const [form, bytes] of Object.entries(hidden)) {
    it(`finds ${form}`, () => {
      expect(search([{ where: "here", bytes: inside(bytes) }], [canaryRoot])).to.not.be.empty;
    });
  }

  for (const [form, compress] of Object.entries({
    gzip: gzipSync,
    zlib: deflateSync,
    deflate: deflateRawSync,
    brotli: brotliCompressSync,
    zstd: zstdCompressSync,
  })) {
    it(`finds what ${form} holds`, () => {
      expect(search([{ where: "here", bytes: compress(inside(Buffer.from(text))) }], [canaryRoot])).to.not.be.empty;
    });
  }

  it("finds the bytes of a key in hex and base64, and nothing where nothing is", () => {
    const key = Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex");
    expect(search([{ where: "log", bytes: Buffer.from(`k=${key.toString("base64url")}`) }], [key])).to.not.be.empty;
    expect(search([{ where: "log", bytes: Buffer.from(`k=${key.toString("hex")}`) }], [key])).to.not.be.empty;
    expect(search([{ where: "log", bytes: Buffer.from("nothing to see") }], [key])).to.be.empty;
    expect(search([{ where: "log", bytes: Buffer.from("CANARY-07805112") }], [canaryRoot])).to.be.empty;
  });
});
