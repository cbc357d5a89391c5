import type { ErrorCode } from "../../src/base/error-table.ts";
import { documentOf, json, mapped, type Document } from "../rig/document.ts";

/** One body of the A cases and what becomes of it. */
export interface JsonBody {
  readonly id: string;
  readonly what: string;
  readonly document: Document;
  /** `sealed` = "enc". */
  readonly verdict: "sealed" | ErrorCode;
}

const hex = (digits: string): Buffer => Buffer.from(digits, "hex");

/** Raw bytes between two texts. */
const around = (before: string, bytes: Buffer, after: string): Document => documentOf([before, bytes, after]);

/** The bodies of A-01 to A-11 that hold `canary`: two readers must not find two meanings in them. */
export function jsonBodies(canary: string): readonly JsonBody[] {
  const ssn = mapped(`"${canary}"`);
  const text = (id: string, what: string, body: string, verdict: ErrorCode): JsonBody => ({
    id,
    what,
    document: documentOf([body]),
    verdict,
  });
  const sealed = (id: string, what: string, document: Document): JsonBody => ({
    id,
    what,
    document,
    verdict: "sealed",
  });
  const recoded = (what: string, bytes: Buffer, verdict: ErrorCode): JsonBody => ({
    id: "A-06",
    what,
    document: documentOf([bytes]),
    verdict,
  });
  const plain = `{"ssn":"${canary}"}`;
  return [
    text("A-01", "duplicate key, secret first", `{"ssn":"${canary}","ssn":"x"}`, "duplicate_key"),
    text("A-01", "duplicate key, secret last", `{"ssn":"x","ssn":"${canary}"}`, "duplicate_key"),
    text("A-01", "duplicate deep below", `{"a":[{"b":{"c":1,"d":2,"c":3}}],"ssn":"${canary}"}`, "duplicate_key"),
    text(
      "A-01",
      "duplicate parent",
      `{"contacts":[{"phone":"${canary}"}],"contacts":[{"phone":"x"}]}`,
      "duplicate_key",
    ),
    text("A-01", "duplicate unmapped key", `{"z":1,"ssn":"${canary}","z":1}`, "duplicate_key"),

    sealed("A-02", "escaped spelling of a mapped key", json`{"\u0073sn":${ssn}}`),
    sealed("A-02", "escaped spelling of the whole path", json`{"c\u006fntacts":[{"phon\u0065" : ${ssn}}]}`),
    text("A-02", "both spellings", `{"ssn":"x","\\u0073sn":"${canary}"}`, "duplicate_key"),
    text("A-02", "both spellings, reversed", `{"\\u0073sn":"${canary}","ssn":"x"}`, "duplicate_key"),

    sealed("A-03", "numbers", json`{"id":9007199254740993,"amt":10.00,"r":1E400,"z":-0.0,"ssn":${ssn}}`),
    sealed("A-04", "integer-like keys", json`{"b":1,"2":1,"1":1,"ssn":${ssn}}`),

    recoded("UTF-8 byte order mark", Buffer.from(`\ufeff${plain}`), "json_invalid"),
    recoded("UTF-16LE", Buffer.from(plain, "utf16le"), "json_invalid"),
    recoded("UTF-16LE with its mark", Buffer.from(`\ufeff${plain}`, "utf16le"), "json_encoding"),
    recoded("UTF-16BE", Buffer.from(plain, "utf16le").swap16(), "json_invalid"),
    recoded("UTF-32LE", utf32(plain), "json_invalid"),
    recoded("UTF-32BE", utf32(plain).swap32(), "json_invalid"),

    ...["c0af", "80", "eda080", "f09f98", "f5808080", "ff"].flatMap((bytes): JsonBody[] => [
      {
        id: "A-07",
        what: `${bytes} in a key`,
        document: around('{"x', hex(bytes), `":1,"ssn":"${canary}"}`),
        verdict: "json_encoding",
      },
      {
        id: "A-07",
        what: `${bytes} in a mapped value`,
        document: around(`{"ssn":"${canary}`, hex(bytes), '"}'),
        verdict: "json_encoding",
      },
      {
        id: "A-07",
        what: `${bytes} in another value`,
        document: around(`{"ssn":"${canary}","y":"`, hex(bytes), '"}'),
        verdict: "json_encoding",
      },
    ]),

    text("A-08", "lone high surrogate in a mapped value", `{"ssn":"${canary}\\ud800"}`, "lone_surrogate"),
    text("A-08", "lone low surrogate in a mapped value", `{"ssn":"\\udc00${canary}"}`, "lone_surrogate"),
    text("A-08", "lone surrogate deep in a mapped value", `{"ssn":{"a":["${canary}\\uDBFF"]}}`, "lone_surrogate"),
    sealed("A-08", "lone surrogates elsewhere", json`{"y":"\ud800","z\udc00":[],"ssn":${ssn}}`),
    sealed("A-08", "pairs in a mapped value", json`{"ssn":${mapped(`"\\ud83d\\ude00${canary}"`)}}`),

    text("A-09", "comment that hides a key", `{"name":"x"/*,"z":"*/,"ssn":"${canary}"}`, "json_invalid"),
    text("A-09", "line comment", `{"name":"x", // z\n"ssn":"${canary}"}`, "json_invalid"),
    text("A-09", "trailing comma in an object", `{"ssn":"${canary}",}`, "json_invalid"),
    text("A-09", "trailing comma in an array", `{"a":[1,],"ssn":"${canary}"}`, "json_invalid"),
    text("A-09", "single quotes", `{'ssn':'${canary}'}`, "json_invalid"),
    text("A-09", "NaN", `{"ssn":"${canary}","w":NaN}`, "json_invalid"),
    text("A-09", "Infinity", `{"w":-Infinity,"ssn":"${canary}"}`, "json_invalid"),
    text("A-09", "bare key", `{ssn:"${canary}"}`, "json_invalid"),
    text("A-09", "hexadecimal number", `{"w":0x1F,"ssn":"${canary}"}`, "json_invalid"),
    text("A-09", "leading zero", `{"w":01,"ssn":"${canary}"}`, "json_invalid"),

    text("A-10", "second document", `{"name":"x"}{"ssn":"${canary}"}`, "json_invalid"),
    text("A-10", "second document on a new line", `{"name":"x"}\n{"ssn":"${canary}"}`, "json_invalid"),
    text("A-10", "trailing bytes", `{"ssn":"${canary}"}x`, "json_invalid"),
    text("A-10", "trailing zero byte", `{"ssn":"${canary}"}\0`, "json_invalid"),
    text("A-10", "unfinished document", `{"ssn":"${canary}"`, "json_invalid"),

    ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", ""].map((key) =>
      sealed("A-11", `key ${key}`, documentOf([`{"${key}":{"ssn":"x","polluted":true},"ssn":`, ssn, "}"])),
    ),
  ];
}

function utf32(text: string): Buffer {
  const bytes = Buffer.alloc(text.length * 4);
  Array.from(text).forEach((letter, index) => bytes.writeUInt32LE(letter.charCodeAt(0), index * 4));
  return bytes;
}
