import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

/*
 * A second implementation of the sealed value, for tests: each primitive straight from its document, on AES blocks and
 * SHA-256 alone, nothing shared with src/, no thought of speed. Bytes are put together as hex strings.
 */

const blockBytes = 16;

export const hex = (text: string): Buffer => Buffer.from(text, "hex");

function aesBlock(key: Buffer, block: Buffer): Buffer {
  return createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
    .setAutoPadding(false)
    .update(block);
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}

/** Multiplication by x in GF(2^128), NIST SP 800-38B section 6.1, on one big integer. */
function double(block: Buffer): Buffer {
  const shifted = BigInt(`0x${block.toString("hex")}`) << 1n;
  const reduced = shifted >> 128n === 1n ? shifted ^ ((1n << 128n) | 0x87n) : shifted;
  return hex(reduced.toString(16).padStart(32, "0"));
}

const padded = (last: Buffer): Buffer => Buffer.concat([last, hex("80"), Buffer.alloc(blockBytes)]).subarray(0, 16);

/** AES-CMAC, NIST SP 800-38B section 6.2; keys of 16, 24 or 32 bytes. */
export function cmac(key: Buffer, message: Buffer): Buffer {
  const k1 = double(aesBlock(key, Buffer.alloc(blockBytes)));
  const blocks = Math.max(1, Math.ceil(message.length / blockBytes));
  let state = Buffer.alloc(blockBytes);
  for (let i = 0; i < blocks - 1; i++) {
    state = Buffer.from(aesBlock(key, xor(state, message.subarray(i * blockBytes, (i + 1) * blockBytes))));
  }
  const last = message.subarray((blocks - 1) * blockBytes);
  const masked = last.length === blockBytes ? xor(last, k1) : xor(padded(last), double(k1));
  return aesBlock(key, xor(state, masked));
}

/** S2V, RFC 5297 section 2.4. */
function s2v(key: Buffer, components: readonly Buffer[], plaintext: Buffer): Buffer {
  let d = cmac(key, Buffer.alloc(blockBytes));
  for (const component of components) d = xor(double(d), cmac(key, component));
  if (plaintext.length < blockBytes) return cmac(key, xor(double(d), padded(plaintext)));
  const end = plaintext.length - blockBytes;
  return cmac(key, Buffer.concat([plaintext.subarray(0, end), xor(plaintext.subarray(end), d)]));
}

function sivCounter(key: Buffer, iv: Buffer, bytes: Buffer): Buffer {
  const counter = Buffer.from(iv);
  counter[8] = (counter[8] ?? 0) & 0x7f;
  counter[12] = (counter[12] ?? 0) & 0x7f;
  return createCipheriv(`aes-${key.length * 8}-ctr`, key, counter).update(bytes);
}

/** AES-SIV, RFC 5297 sections 2.6 and 2.7; keys of 32, 48 or 64 bytes. Gives synthetic IV | ciphertext. */
export function sivSeal(key: Buffer, components: readonly Buffer[], plaintext: Buffer): Buffer {
  const half = key.length / 2;
  const iv = s2v(key.subarray(0, half), components, plaintext);
  return Buffer.concat([iv, sivCounter(key.subarray(half), iv, plaintext)]);
}

export function sivOpen(key: Buffer, components: readonly Buffer[], body: Buffer): Buffer | undefined {
  const half = key.length / 2;
  const iv = body.subarray(0, blockBytes);
  const plaintext = sivCounter(key.subarray(half), iv, body.subarray(blockBytes));
  return s2v(key.subarray(0, half), components, plaintext).equals(iv) ? plaintext : undefined;
}

/** The key of one XAES-256-GCM message: the counter KDF of NIST SP 800-108 section 4.1 with CMAC, label "X". */
function xaesKey(key: Buffer, nonce: Buffer): Buffer {
  const input = (counter: string): Buffer => Buffer.concat([hex(counter), Buffer.from("X\0"), nonce.subarray(0, 12)]);
  return Buffer.concat([cmac(key, input("0001")), cmac(key, input("0002"))]);
}

/** C2SP XAES-256-GCM. Gives ciphertext | tag. */
export function xaesSeal(key: Buffer, nonce: Buffer, plaintext: Buffer, aad: Buffer): Buffer {
  const cipher = createCipheriv("aes-256-gcm", xaesKey(key, nonce), nonce.subarray(12), { authTagLength: 16 });
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The plaintext under a body `nonce | ciphertext | tag`; `undefined` = the tag is wrong. */
export function xaesOpen(key: Buffer, body: Buffer, aad: Buffer): Buffer | undefined {
  const nonce = body.subarray(0, 24);
  const decipher = createDecipheriv("aes-256-gcm", xaesKey(key, nonce), nonce.subarray(12), { authTagLength: 16 });
  decipher.setAAD(aad).setAuthTag(body.subarray(-16));
  const plaintext = decipher.update(body.subarray(24, -16));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch {
    return undefined;
  }
}

/** HKDF-SHA-256, RFC 5869 sections 2.2 and 2.3. */
export function hkdf(secret: Buffer, salt: Buffer, info: Buffer, bytes: number): Buffer {
  const prk = createHmac("sha256", salt).update(secret).digest();
  let okm = Buffer.alloc(0);
  let t = Buffer.alloc(0);
  for (let i = 1; okm.length < bytes; i++) {
    t = Buffer.from(
      createHmac("sha256", prk)
        .update(t)
        .update(info)
        .update(Buffer.from([i]))
        .digest(),
    );
    okm = Buffer.concat([okm, t]);
  }
  return okm.subarray(0, bytes);
}

/** Everything one sealed value is made from. Bytes in hex. */
export interface ReferenceInput {
  readonly dek: string;
  readonly suite: number;
  /** The whole form byte. */
  readonly form: number;
  readonly tenant: string;
  readonly dataset: string;
  readonly field: string;
  /** Empty = none. */
  readonly record: string;
  readonly plaintext: string;
  readonly nonce?: string;
  readonly kek?: string;
  readonly wrapped?: string;
}

const int = (n: number, bytes: number): string => n.toString(16).padStart(2 * bytes, "0");
const lp = (text: string): string => {
  const bytes = Buffer.from(text, "utf8").toString("hex");
  return int(bytes.length / 2, 4) + bytes;
};

const derive = (dek: string, label: string, bytes: number): Buffer =>
  hkdf(hex(dek), Buffer.alloc(0), Buffer.from(`sealwright/v1 ${label}`), bytes);

/** The AES-GCM key of the one message that this nonce is for. */
export const xaesMessageKey = (dek: string, nonce: string): Buffer => xaesKey(derive(dek, "suite 1", 32), hex(nonce));

export const referenceKeyId = (dek: string): string => derive(dek, "key id", 32).toString("hex");

/** The AAD in hex. */
export function referenceAad(input: ReferenceInput): string {
  const head = lp("sealwright/v1") + int(input.suite, 1) + int(input.form & 0xf0, 1) + referenceKeyId(input.dek);
  return head + lp(input.tenant) + lp(input.dataset) + lp(input.field) + lp(input.record);
}

/** The envelope's parts in hex, in their order. */
export interface ReferenceEnvelope {
  readonly head: string;
  readonly key: string;
  readonly body: string;
}

export function referenceEnvelope(input: ReferenceInput): ReferenceEnvelope {
  const kid = referenceKeyId(input.dek);
  const kek = Buffer.from(input.kek ?? "").toString("hex");
  const wrapped = input.wrapped ?? "";
  const inline = kid + int(kek.length / 2, 1) + kek + int(wrapped.length / 2, 2) + wrapped;
  const key = (input.form & 0x0f) === 0 ? kid.slice(0, 32) : inline;
  const aad = hex(referenceAad(input));
  const plaintext = hex(input.plaintext);
  const nonce = input.nonce ?? "";
  const body =
    input.suite === 1
      ? nonce + xaesSeal(derive(input.dek, "suite 1", 32), hex(nonce), plaintext, aad).toString("hex")
      : sivSeal(derive(input.dek, "suite 2", 64), [aad], plaintext).toString("hex");
  return { head: int(input.suite, 1) + int(input.form, 1), key, body };
}

/** What the reference makes of a text: plaintext bytes, or why there are none. */
export type ReferenceVerdict = Buffer | "malformed" | "open_failed";

const envelopePattern = /^(?<suite>01|02)(?<form>[0-3][01])(?<rest>(?:..)*)$/;
const inlinePattern = /^(?<kid>.{64})(?<n>..)(?<rest>(?:..)*)$/;

interface ReferenceKeyPart {
  readonly names: (kid: string) => boolean;
  readonly body: string;
}

function readKey(form: string, rest: string): ReferenceKeyPart | undefined {
  if (form.endsWith("0")) {
    return rest.length < 32 ? undefined : { names: (kid) => rest.startsWith(kid.slice(0, 32)), body: rest.slice(32) };
  }
  const { kid: stated = "", n = "", rest: tail = "" } = inlinePattern.exec(rest)?.groups ?? {};
  const nameEnd = 2 * parseInt(n || "0", 16);
  const name = hex(tail.slice(0, nameEnd)).toString("latin1");
  const wrappedDigits = 2 * parseInt(tail.slice(nameEnd, nameEnd + 4) || "0", 16);
  const end = nameEnd + 4 + wrappedDigits;
  if (!/^[a-z0-9-]{1,63}$/.test(name) || wrappedDigits === 0 || tail.length < end) return undefined;
  return { names: (kid) => kid === stated, body: tail.slice(end) };
}

/** Reads and opens a text as DESIGN.md says. */
export function referenceOpen(
  text: string,
  input: Omit<ReferenceInput, "suite" | "form" | "plaintext">,
): ReferenceVerdict {
  const code = /^swr1\.([A-Za-z0-9_-]*)$/.exec(text)?.[1];
  if (code === undefined || text.endsWith("\n")) return "malformed";
  const envelope = Buffer.from(code, "base64url");
  if (envelope.toString("base64url") !== code) return "malformed";
  const { suite = "", form = "", rest = "" } = envelopePattern.exec(envelope.toString("hex"))?.groups ?? {};
  const bound = form.startsWith("1") || form.startsWith("3");
  if (suite === "" || (suite === "02" && bound)) return "malformed";
  const key = readKey(form, rest);
  if (key === undefined || key.body.length < (suite === "01" ? 80 : 32)) return "malformed";
  if (!key.names(referenceKeyId(input.dek)) || (bound && input.record === "")) return "open_failed";
  const record = bound ? input.record : "";
  const header = { suite: Number(suite), form: parseInt(form, 16), plaintext: "" };
  const aad = hex(referenceAad({ ...input, ...header, record }));
  const plaintext =
    suite === "01"
      ? xaesOpen(derive(input.dek, "suite 1", 32), hex(key.body), aad)
      : sivOpen(derive(input.dek, "suite 2", 64), [aad], hex(key.body));
  if (plaintext === undefined) return "open_failed";
  if (form.startsWith("2") || form.startsWith("3")) return plaintext;
  const json = Buffer.from(plaintext.toString("latin1").replace(/ +$/, ""), "latin1");
  return json.length === 0 ? "open_failed" : json;
}

/** The text of an envelope given in hex. */
export const referenceText = (envelope: string): string => `swr1.${hex(envelope).toString("base64url")}`;

/** The sealed value's text. */
export function referenceSeal(input: ReferenceInput): string {
  const { head, key, body } = referenceEnvelope(input);
  return referenceText(head + key + body);
}
