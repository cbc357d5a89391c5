import {
  referenceAad,
  referenceEnvelope,
  referenceKeyId,
  referenceOpen,
  referenceSeal,
  referenceText,
} from "../crypto/reference.ts";
import { hex, xaesMessageKey, type ReferenceInput } from "../crypto/reference.ts";
import type { SealedValueCase } from "../crypto/sealed-value-cases.ts";
import { twoKeyBody } from "../crypto/two-key-body.ts";
import { createHash } from "node:crypto";

/*
 * Prints test/vectors/sealed-value-v1.json: `node test/vectors/make-sealed-value-v1.ts > test/vectors/sealed-value-v1.json`.
 * Deterministic, and made without any of the code it tests. Every case belongs to a class that says what it shows.
 */

/** Fixed bytes that look random, in hex. */
const fixed = (label: string, bytes: number): string =>
  createHash("shake256", { outputLength: bytes }).update(`sealed value v1 ${label}`).digest("hex");
const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("hex");

const inlineKey = { kek: "main-eu-1", wrapped: fixed("wrapped", 40) };
const common = { dek: fixed("dek", 32), tenant: "t1", dataset: "patients", field: "ssn", nonce: fixed("nonce", 24) };
const ssn = utf8('"078-05-1120"');

/** The four values that the failure classes are made from. */
const bases: Readonly<Record<string, ReferenceInput>> = {
  "keyring-bound": { ...common, suite: 1, form: 0x10, record: "4711", plaintext: ssn },
  "inline-raw": { ...common, ...inlineKey, suite: 1, form: 0x21, record: "", plaintext: fixed("raw", 13) },
  "keyring-siv": { ...common, suite: 2, form: 0x00, record: "", plaintext: ssn },
  "inline-siv-raw": { ...common, ...inlineKey, suite: 2, form: 0x21, record: "", plaintext: fixed("raw", 5) },
};

const cases: SealedValueCase[] = [];
type Opening = Partial<Pick<ReferenceInput, "dek" | "tenant" | "dataset" | "field" | "record">>;

/** What a class may expect of its cases; the reference decides which it is where there are several. */
interface CaseClass {
  readonly name: string;
  readonly why: string;
  readonly expect: readonly SealedValueCase["expect"][];
}

interface CaseInput {
  /** Distinguishes the case within its class. */
  readonly id: string;
  readonly token: string;
  readonly input: ReferenceInput;
  /** What the reader believes where it differs from what the sealer bound. */
  readonly opening?: Opening;
  /** Members that only sealable cases have. */
  readonly sealing?: Partial<SealedValueCase>;
}

function add(kind: CaseClass, { id, token, input, opening = {}, sealing = {} }: CaseInput): void {
  const { dek, tenant, dataset, field, record } = { ...input, ...opening };
  const verdict = referenceOpen(token, { dek, tenant, dataset, field, record });
  const expected = typeof verdict === "string" ? verdict : "open";
  if (!kind.expect.includes(expected)) throw new Error(`${kind.name} ${id}: ${expected}`);
  const raw = (input.form & 0x20) !== 0;
  const plaintext =
    typeof verdict === "string" ? {} : raw ? { hex: verdict.toString("hex") } : { text: verdict.toString() };
  cases.push({
    id: `${kind.name}-${id}`,
    class: kind.name,
    expect: expected,
    why: kind.why,
    dek,
    tenant,
    dataset,
    field,
    record: record === "" ? null : record,
    token,
    ...sealing,
    ...plaintext,
  });
}

const opens = (name: string, why: string): CaseClass => ({ name, why, expect: ["open"] });
const malformed = (name: string, why: string): CaseClass => ({ name, why, expect: ["malformed"] });
const fails = (name: string, why: string): CaseClass => ({ name, why, expect: ["open_failed"] });
const refused = (name: string, why: string): CaseClass => ({ name, why, expect: ["malformed", "open_failed"] });

/** A value that sealing must give again. */
function addSealable(kind: CaseClass, id: string, input: ReferenceInput, pad?: number): void {
  const bytes = hex(input.plaintext);
  const spaces = pad === undefined ? 0 : (pad - (bytes.length % pad)) % pad;
  const plaintext = input.plaintext + "20".repeat(spaces);
  add(kind, {
    id,
    token: referenceSeal({ ...input, plaintext }),
    input,
    sealing: {
      suite: input.suite === 2 ? 2 : 1,
      ...(input.suite === 1 && input.nonce !== undefined ? { nonce: input.nonce } : {}),
      ...(input.kek === undefined || input.wrapped === undefined ? {} : { kek: input.kek, wrapped: input.wrapped }),
      ...(pad === undefined ? {} : { pad }),
    },
  });
}

const everyForm = [
  ...[0x00, 0x10, 0x20, 0x30].map((form) => ({ suite: 1, form })),
  ...[0x00, 0x20].map((form) => ({ suite: 2, form })),
].flatMap(({ suite, form }) => [
  { name: `suite-${suite}-${form.toString(16).padStart(2, "0")}`, shape: { suite, form } },
  {
    name: `suite-${suite}-${(form | 1).toString(16).padStart(2, "0")}`,
    shape: { suite, form: form | 1, ...inlineKey },
  },
]);

for (const { name, shape } of everyForm) {
  const record = shape.form & 0x10 ? "4711" : "";
  addSealable(opens("form", "every suite and form"), name, { ...common, ...shape, record, plaintext: ssn });
}
const jsonTexts = ["null", "true", "0", "-1.50e+10", '""', '"\\u00e9\\/"', '{"a": [1, 2 ]}', "[]", '"Zoë 😀"', '" "'];
for (const [index, text] of jsonTexts.entries()) {
  const input = { ...common, suite: 1, form: 0x10, record: "4711", plaintext: utf8(text) };
  addSealable(opens("json", "JSON text of every type, as it stood"), String(index), input);
}
for (const [index, text] of ['""', '"\\n\\u0000\\"\\\\"', '"é/"', '"😀\u2028"'].entries()) {
  const input = { ...common, suite: 2, form: 0x00, record: "", plaintext: utf8(text) };
  addSealable(opens("canonical", "suite 2: a string in RFC 8785 form"), String(index), input);
}
for (const length of [0, 1, 15, 16, 17, 31, 32, 33, 1000]) {
  for (const suite of [1, 2]) {
    const input = { ...common, suite, form: 0x20, record: "", plaintext: fixed("raw", length) };
    addSealable(opens("length", "raw bytes around block borders"), `${suite}-${length}`, input);
  }
}
for (const pad of [1, 13, 16, 64]) {
  const input = { ...common, suite: 1, form: 0x10, record: "4711", plaintext: ssn };
  addSealable(opens("pad", "padded with spaces to a multiple before sealing"), String(pad), input, pad);
}
for (const [id, plaintext] of Object.entries({ empty: "", spaces: "202020" })) {
  const input = { ...common, suite: 1, form: 0x10, record: "4711", plaintext };
  const kind = fails("blank", "JSON text of nothing, or of nothing but padding");
  add(kind, { id, token: referenceSeal(input), input });
}
const odd = {
  tenant: "Tenant_1.x-y",
  dataset: "dätä",
  field: "$['a\\'b'][*]..['ü']",
  record: "org.couchdb.user:bøb 😀",
};
addSealable(opens("names", "names beyond ASCII"), "utf8", { ...common, ...odd, suite: 1, form: 0x10, plaintext: ssn });
for (const kek of ["a", "-", "k".repeat(63)]) {
  const input = { ...common, suite: 1, form: 0x01, record: "", plaintext: ssn, kek, wrapped: "00" };
  addSealable(opens("kek", "KEK names and wrapped keys at their limits"), kek, input);
}

for (const [name, input] of Object.entries(bases)) {
  const { head, key, body } = referenceEnvelope(input);
  const envelope = hex(head + key + body);
  const token = referenceText(head + key + body);
  const keyBytes = key.length / 2;
  const bodyAt = 2 + keyBytes;
  const flipped = (at: number, bit: number): string => {
    const bytes = Buffer.from(envelope);
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
    return referenceText(bytes.toString("hex"));
  };
  const put = (kind: CaseClass, id: string, changed: string, opening: Opening = {}): void =>
    add(kind, { id: `${name}-${id}`, token: changed, input, opening });

  for (let id = 0; id < 256; id += id < 8 ? 1 : 31) {
    if (id === input.suite) continue;
    const kind =
      id === 1 || id === 2 ? refused("suite-swap", "the other suite's id") : malformed("suite", "unknown suite");
    put(kind, String(id), referenceText(id.toString(16).padStart(2, "0") + head.slice(2) + key + body));
  }
  for (let bit = 0; bit < 8; bit++) {
    const known = bit === 0 || bit === 4 || bit === 5;
    const kind = known ? refused("form-flag", "a flag of the form flipped") : malformed("form-bit", "unknown form bit");
    put(kind, String(bit), flipped(1, bit), { record: "4711" });
  }
  const idBytes = (input.form & 1) === 0 ? 16 : 32;
  for (let at = 0; at < idBytes; at++) put(fails("key-id", "a bit of the key id"), String(at), flipped(2 + at, at % 8));
  for (let at = bodyAt; at < envelope.length; at++) {
    put(fails("body", "a bit of nonce, ciphertext, tag or synthetic IV"), String(at - bodyAt), flipped(at, at % 8));
  }
  for (let length = 0; length < envelope.length; length++) {
    put(refused("cut", "cut at every length"), String(length), referenceText(envelope.toString("hex", 0, length)));
  }
  for (const left of [4, 8, 12, 15]) {
    const shortened = envelope.toString("hex", 0, envelope.length - 16 + left);
    if (input.suite === 1) put(refused("tag-cut", "tag cut to so many bytes"), String(left), referenceText(shortened));
  }
  if (input.suite === 1) {
    for (const length of [0, 1, 12, 16, 23, 25, 32, 256]) {
      const nonce = fixed("nonce", Math.max(24, length)).slice(0, 2 * length);
      const changed = referenceText(head + key + nonce + body.slice(48));
      put(refused("nonce-length", "nonce of so many bytes"), String(length), changed);
    }
  }
  put(fails("tail", "a byte more"), "00", referenceText(head + key + body + "00"));
  put(fails("moved-tenant", "another tenant"), "t2", token, { tenant: "t2" });
  put(fails("moved-dataset", "another dataset"), "staff", token, { dataset: "staff" });
  put(fails("moved-field", "another field"), "notes", token, { field: "notes" });
  put(fails("moved-names", "the same letters cut elsewhere"), "cut", token, { tenant: "t1p", dataset: "atients" });
  put(fails("wrong-key", "another data key"), "dek", token, { dek: fixed("other dek", 32) });
  if (input.form & 0x10) {
    put(fails("moved-record", "another record"), "4712", token, { record: "4712" });
    put(fails("no-record", "bound, and no record is known"), "none", token, { record: "" });
  } else {
    put(opens("unbound", "unbound: whatever record the reader knows"), "4711", token, { record: "4711" });
  }
  for (const [id, text] of [
    ["padding", `${token}=`],
    ["newline", `${token}\n`],
    ["space", ` ${token}`],
    ["inner-space", `${token.slice(0, 20)} ${token.slice(20)}`],
    ["bang", `swr1.!!${token.slice(5)}`],
    ["prefix-case", token.replace("swr1", "SWR1")],
    ["prefix-2", token.replace("swr1", "swr2")],
    ["no-prefix", token.slice(5)],
    ["plus", `${token.slice(0, 30)}+${token.slice(31)}`],
    ["slash", `${token.slice(0, 30)}/${token.slice(31)}`],
    ["one-more", `${token}A`.padEnd(token.length + ((token.length - 5) % 4 === 0 ? 1 : 0), "A")],
    ["wide", `${token.slice(0, 30)}\u0141${token.slice(31)}`],
  ] as const) {
    put(refused("text", "not the canonical text"), id, text);
  }
  const unused = [0, 0, 4, 2][(token.length - 5) % 4] ?? 0;
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (let bits = 1; bits < 1 << unused; bits++) {
    const last = alphabet[alphabet.indexOf(token.slice(-1)) | bits] ?? "";
    put(malformed("trailing-bits", "unused trailing bits set"), String(bits), token.slice(0, -1) + last);
  }
}

const inline = { ...common, ...inlineKey, suite: 1, form: 0x11, record: "4711", plaintext: ssn };
const { head, body } = referenceEnvelope(inline);
const kid = referenceKeyId(common.dek);
const name = utf8(inlineKey.kek);
const nameLength = (name.length / 2).toString(16).padStart(2, "0");
const addInline = (kind: CaseClass, id: string, key: string): void =>
  add(kind, { id, token: referenceText(head + kid + key + body), input: inline });
const rewrapped = opens("rewrapped", "KEK name and wrapped key are not authenticated: another wrap of the same key");
addInline(rewrapped, "kek", `03${utf8("hsm")}0028${inlineKey.wrapped}`);
addInline(rewrapped, "wrapped", `${nameLength}${name}0003010203`);
addInline(rewrapped, "longest", `${nameLength}${name}ffff${"5a".repeat(0xffff)}`);
addInline(malformed("kek-name", "no KEK name"), "empty", `000028${inlineKey.wrapped}`);
addInline(malformed("kek-name", "KEK name of 64 bytes"), "64", `40${"6b".repeat(64)}0028${inlineKey.wrapped}`);
for (const bad of ["Main", "a_b", "a.b", "a b", "é", "a\0"]) {
  const bytes = utf8(bad);
  const length = (bytes.length / 2).toString(16).padStart(2, "0");
  const kind = malformed("kek-name", "KEK name outside a-z 0-9 -");
  addInline(kind, bytes, `${length}${bytes}0028${inlineKey.wrapped}`);
}
addInline(malformed("wrapped", "no wrapped key"), "empty", `${nameLength}${name}0000`);
addInline(malformed("wrapped", "wrapped key longer than the envelope"), "long", `${nameLength}${name}ffff`);

for (let round = 0; round < 4; round++) {
  const [one, other] = ["one", "other"].map((side) => fixed(`two-key ${round} ${side}`, 32)) as [string, string];
  const input = { ...common, suite: 1, form: 0x20, record: "", plaintext: "" };
  const nonce = fixed(`two-key ${round}`, 24);
  const side = (dek: string) => ({ key: xaesMessageKey(dek, nonce), aad: hex(referenceAad({ ...input, dek })) });
  const { ciphertext, tag } = twoKeyBody(hex(nonce).subarray(12), side(one), side(other));
  const bytes = nonce + ciphertext.toString("hex") + tag.toString("hex");
  const token = (dek: string): string => referenceText(`0120${referenceKeyId(dek).slice(0, 32)}${bytes}`);
  for (const [id, named, read] of [
    ["one", one, one],
    ["other", other, other],
    ["one-as-other", one, other],
    ["other-as-one", other, one],
  ] as const) {
    const kind =
      named === read
        ? opens("two-key", "a body made to be right under two keys opens under the key that is named")
        : fails("two-key-commitment", "a body that is right under this key too, but names another");
    add(kind, { id: `${round}-${id}`, token: token(named), input: { ...input, dek: read } });
  }
}

const note =
  "Sealed value v1, made by make-sealed-value-v1.ts from the tests' own second implementation. expect: open = plaintext is " +
  "text (JSON text) or hex (raw bytes), and where suite stands, sealing with nonce gives the same token; malformed = just " +
  "text; open_failed = parses and must not open. record null = none known.";
const lines = cases.map((one) => JSON.stringify(one)).join(",\n");
process.stdout.write(`{\n"note": ${JSON.stringify(note)},\n"cases": [\n${lines}\n]\n}\n`);
