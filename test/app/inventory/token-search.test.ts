import { expect } from "chai";
import fc from "fast-check";
import { TokenSearch } from "../../../src/app/inventory/token-search.ts";
import { formatSealedValue } from "../../../src/crypto/sealed-value.ts";
import type { KeyReference, SealedValue } from "../../../src/crypto/types.ts";

const nameOf = (key: KeyReference): string =>
  key.form === "keyring" ? key.shortId.toString("hex") : `${key.kek} ${key.id.toString("hex")} ${key.wrapped.length}`;

function found(bytes: Buffer, chunkBytes = bytes.length): readonly string[] {
  const names: string[] = [];
  const search = new TokenSearch((key) => names.push(nameOf(key)));
  for (let at = 0; at < bytes.length; at += Math.max(1, chunkBytes)) search.push(bytes.subarray(at, at + chunkBytes));
  search.end();
  return names;
}

const keyring = (fill: number, bodyBytes = 60): SealedValue => ({
  suite: 1,
  recordBound: true,
  rawBytes: false,
  key: { form: "keyring", shortId: Buffer.alloc(16, fill) },
  body: Buffer.alloc(bodyBytes, 7),
});
const inline = (fill: number, wrappedBytes = 200): SealedValue => ({
  suite: 1,
  recordBound: false,
  rawBytes: false,
  key: { form: "inline", id: Buffer.alloc(32, fill), kek: "main", wrapped: Buffer.alloc(wrappedBytes, 3) },
  body: Buffer.alloc(41, 7),
});
const textOf = (value: SealedValue): string => formatSealedValue(value);
const id = (fill: number): string => Buffer.alloc(16, fill).toString("hex");

describe("search for sealed values", () => {
  it("finds them in JSON, SQL and binary files", () => {
    const [a, b] = [textOf(keyring(1)), textOf(inline(2))];
    for (const text of [`{"a":"${a}","b":["${b}"]}`, `insert into t values ('${a}', '${b}')`, `\0\u0001${a}\0\0${b}\n`])
      expect(found(Buffer.from(text, "latin1")), text).to.deep.equal([id(1), nameOf(inline(2).key)]);
  });

  it("finds the key where other bytes of the alphabet touch a value's end, but not in a JSON string", () => {
    const text = textOf(keyring(1, 61));
    for (const more of ["x", "xy", "xyz", "xyzw"])
      expect(found(Buffer.from(`'${text}${more}'`))).to.deep.equal([id(1)]);
    expect(found(Buffer.from(`{"a":"${text}x"}`))).to.deep.equal([]);
  });

  it("finds them however JSON has escaped them, in JSON inside a JSON string too, wherever they are cut", () => {
    const text = textOf(keyring(1));
    const escaped = (at: number): string =>
      `${text.slice(0, at)}\\u00${text.charCodeAt(at).toString(16)}${text.slice(at + 1)}`;
    for (const at of [0, 4, 5, 20, text.length - 1]) {
      for (const spelled of [`{"a":"${escaped(at)}"}`, JSON.stringify(`{"a":"${escaped(at)}"}`), escaped(at)])
        for (const chunkBytes of [spelled.length, 7, 1])
          expect(found(Buffer.from(spelled), chunkBytes), spelled).to.deep.equal([id(1)]);
    }
    expect(found(Buffer.from('"swr1\\u002E\\u00e9\\u00"'))).to.deep.equal([]);
  });

  it("takes no notice of text that only begins like one", () => {
    for (const text of [
      '"swr1."',
      '"swr1.AAAA"',
      "swr1",
      "swr1.swr1.swr1.",
      '"swr1.not a value"',
      `"${"swr1.".repeat(99)}"`,
    ])
      expect(found(Buffer.from(text)), text).to.deep.equal([]);
  });

  it("finds values of any length, with any length of key part, however they are cut", () => {
    const values = fc.array(
      fc.oneof(
        fc.tuple(fc.nat(255), fc.integer({ min: 40, max: 3000 })).map(([fill, bytes]) => keyring(fill, bytes)),
        fc.tuple(fc.nat(255), fc.constantFrom(1, 90, 5000)).map(([fill, bytes]) => inline(fill, bytes)),
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 700 }), (list, chunkBytes) => {
        const bytes = Buffer.from(list.map((value) => `"${textOf(value)}"`).join(","));
        expect(found(bytes, chunkBytes)).to.deep.equal(list.map(({ key }) => nameOf(key)));
      }),
      { numRuns: 60 },
    );
  });

  it("tells a long value from a long text that is spelled otherwise at its end", () => {
    for (const bytes of [300_000, 300_001, 300_002]) {
      const text = textOf(keyring(1, bytes));
      expect(found(Buffer.from(`"${text}"`), 65_536), String(bytes)).to.deep.equal([id(1)]);
      if (text.length % 4 !== 1) expect(found(Buffer.from(`"${text.slice(0, -1)}B"`), 65_536)).to.deep.equal([]);
    }
  });

  it("finds the longest wrapped key there can be", () => {
    expect(found(Buffer.from(textOf(inline(9, 0xffff))), 1000)).to.deep.equal([nameOf(inline(9, 0xffff).key)]);
  });
});
