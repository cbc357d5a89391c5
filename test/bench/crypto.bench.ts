import { createCipheriv, createHmac, createSecretKey, hkdfSync, randomBytes, randomFillSync } from "node:crypto";
import { DataKey } from "../../src/crypto/data-key.ts";
import { NoncePool } from "../../src/crypto/random.ts";
import { parseSealedValue } from "../../src/crypto/sealed-value.ts";
import type { Binding, KeyReference, SealedValue } from "../../src/crypto/types.ts";
import type { BenchRow } from "./bench-row.ts";

const bound: Binding = { tenant: "t1", dataset: "patients", field: "ssn", record: "4711" };
const unbound: Binding = { ...bound, record: undefined };

/** Best of some rounds, in microseconds of one call: the machine's other work only ever adds time. */
function microseconds(task: () => unknown, calls = 20_000): number {
  for (let i = 0; i < calls / 4; i++) task();
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    for (let i = 0; i < calls; i++) task();
    best = Math.min(best, ((performance.now() - began) * 1000) / calls);
  }
  return best;
}

function parsed(text: string): SealedValue {
  const value = parseSealedValue(text);
  if (value === undefined) throw new Error("what was sealed does not parse");
  return value;
}

function valueRows(): BenchRow[] {
  const key = DataKey.fromBytes(randomBytes(32));
  const keyring: KeyReference = { form: "keyring", shortId: key.shortId };
  const inline: KeyReference = { form: "inline", id: key.id, kek: "main", wrapped: randomBytes(184) };
  const ssn = Buffer.from('"078-05-112"');
  const large = Buffer.from(JSON.stringify("x".repeat(65_534)));
  const us = (name: string, task: () => unknown, calls?: number): BenchRow => ({
    name,
    value: microseconds(task, calls),
    unit: "us",
  });
  const rows: BenchRow[] = [];
  const shapes = [
    { name: "suite 1, keyring, 12 bytes", suite: 1, plaintext: ssn, binding: bound, reference: keyring },
    { name: "suite 1, inline, 12 bytes", suite: 1, plaintext: ssn, binding: bound, reference: inline },
    { name: "suite 2, keyring, 12 bytes", suite: 2, plaintext: ssn, binding: unbound, reference: keyring },
    { name: "suite 1, keyring, 64 KiB", suite: 1, plaintext: large, binding: bound, reference: keyring },
  ] as const;
  for (const { name, reference, ...rest } of shapes) {
    const sealing = { ...rest, rawBytes: false };
    const text = key.seal(sealing, reference);
    const value = parsed(text);
    const calls = rest.plaintext === large ? 500 : undefined;
    rows.push(us(`seal: ${name}`, () => key.seal(sealing, reference), calls));
    rows.push(us(`parse and open: ${name}`, () => key.open(parsed(text), rest.binding), calls));
    rows.push(us(`parse: ${name}`, () => parsed(text), calls));
    rows.push(us(`refuse (another field): ${name}`, () => refused(key, value, { ...rest.binding, field: "x" }), calls));
  }
  const text = "just text that no one has sealed";
  rows.push(us("parse: text that is no sealed value", () => parseSealedValue(text)));
  rows.push(us("make a data key and end it", () => DataKey.fromBytes(randomBytes(32)).release(), 5000));
  key.release();
  return rows;
}

function refused(key: DataKey, value: SealedValue, binding: Binding): boolean {
  try {
    key.open(value, binding);
    return false;
  } catch {
    return true;
  }
}

/** What a message's key and nonce cost each way that was weighed; xaes-256-gcm.ts and random.ts use the first of each. */
function alternativeRows(): BenchRow[] {
  const key = randomBytes(32);
  const keyObject = createSecretKey(key);
  const nonce = randomBytes(24);
  const blocks = Buffer.alloc(32);
  const long = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  const once = (secret: Buffer | typeof keyObject): Buffer =>
    createCipheriv("aes-256-ecb", secret, null).setAutoPadding(false).update(blocks);
  const pool = new NoncePool();
  const filled = Buffer.alloc(24);
  const row = (name: string, task: () => unknown): BenchRow => ({ name, value: microseconds(task), unit: "us" });
  return [
    row("message key: one long-lived ECB cipher", () => long.update(blocks)),
    row("message key: a new ECB cipher each", () => once(key)),
    row("message key: a new ECB cipher each, KeyObject", () => once(keyObject)),
    row("message key: HMAC-SHA-256 each", () => createHmac("sha256", keyObject).update(nonce).digest()),
    row("message key: HKDF-SHA-256 each", () => hkdfSync("sha256", key, nonce, "x", 32)),
    row("nonce: from the pool", () => pool.next()),
    row("nonce: randomFillSync each", () => randomFillSync(filled)),
    row("nonce: randomBytes each", () => randomBytes(24)),
  ];
}

/** Cost of one value, and of the alternatives. One thread, nothing else in the process. */
export function cryptoBench(): BenchRow[] {
  return [...valueRows(), ...alternativeRows()];
}
