import { expect } from "chai";

/** A value of a body that the field map names: its JSON text as the client wrote it. */
export interface MappedValue {
  readonly mapped: Buffer;
}

export const mapped = (text: string | Buffer): MappedValue => ({ mapped: Buffer.from(text) });

/** A body that knows which of its bytes are mapped values, so that a stored copy can be compared with it byte by byte. */
export interface Document {
  readonly parts: readonly (Buffer | MappedValue)[];
  readonly bytes: Buffer;
}

export function documentOf(parts: readonly (Buffer | string | MappedValue)[]): Document {
  const whole = parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part));
  return { parts: whole, bytes: Buffer.concat(whole.map((part) => (Buffer.isBuffer(part) ? part : part.mapped))) };
}

/** Tag for documents: json`{"ssn":${mapped('"1"')},"n":1.0}`. Back-slashes stand as written. */
export function json(texts: TemplateStringsArray, ...values: readonly (Buffer | string | MappedValue)[]): Document {
  return documentOf(texts.raw.flatMap((text, index) => [text, ...values.slice(index, index + 1)]));
}

/** So many spaces that a body no longer fits what the shared rigs check whole, and is streamed. */
export const streamLead = " ".repeat(80 * 1024);

export const longDocument = (document: Document): Document => documentOf([streamLead, ...document.parts]);

const token = /^"swr1\.[A-Za-z0-9_-]+"/u;

/**
 * Asserts that `stored` is `document` with a sealed value in place of each mapped one and every other byte as it was (I8).
 * Gives the sealed values in order.
 */
export function expectSealed(stored: Buffer, document: Document): string[] {
  const text = stored.toString("latin1");
  const tokens: string[] = [];
  let at = 0;
  for (const part of document.parts) {
    if (Buffer.isBuffer(part)) {
      const found = stored.subarray(at, at + part.length);
      if (!found.equals(part)) expect.fail(`byte ${at + firstDifference(found, part)} of the stored body has changed`);
      at += part.length;
    } else {
      const found = token.exec(text.slice(at, at + part.mapped.length * 2 + 4096))?.[0];
      expect(found, `sealed value at byte ${at} of the stored body`).to.be.a("string");
      tokens.push(found!.slice(1, -1));
      at += found!.length;
    }
  }
  expect(stored.length, "length of the stored body").to.equal(at);
  return tokens;
}

function firstDifference(a: Buffer, b: Buffer): number {
  let at = 0;
  while (at < b.length && a[at] === b[at]) at++;
  return at;
}
