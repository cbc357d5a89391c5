import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { DataKey } from "../../src/crypto/data-key.ts";
import type { KeyReference } from "../../src/crypto/types.ts";
import { plaintextOf, sealedValueCases } from "../crypto/sealed-value-cases.ts";

interface Question {
  readonly token: string;
  readonly dek: string;
  readonly tenant: string;
  readonly dataset: string;
  readonly field: string;
  readonly record: string | null;
}

interface Answer {
  readonly verdict: string;
  readonly plaintext?: string;
}

const reader = fileURLToPath(new URL("../interop/read_sealed_value.py", import.meta.url));

/** What the Python reader makes of each question. Fails, never skips, when it cannot run: it needs `cryptography`. */
function ask(questions: readonly Question[]): readonly Answer[] {
  const python = process.env["SEALWRIGHT_PYTHON"] ?? "python3";
  const input = questions.map((one) => JSON.stringify(one)).join("\n");
  const run = spawnSync(python, [reader], { input, encoding: "utf8", maxBuffer: 1 << 26 });
  if (run.error !== undefined) throw run.error;
  expect(run.status, run.stderr).to.equal(0);
  return run.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
}

describe("the independent reader in Python", () => {
  for (const file of ["sealed-value-v1.json", "own-swr1/vectors.json"]) {
    it(`gives every case of ${file} the verdict of the file`, () => {
      const cases = sealedValueCases(file);
      const answers = ask(cases);
      expect(answers.length).to.equal(cases.length);
      for (const [index, one] of cases.entries()) {
        const plaintext = one.expect === "open" ? { plaintext: plaintextOf(one).toString("hex") } : {};
        expect(answers[index], one.id).to.deep.equal({ verdict: one.expect, ...plaintext });
      }
    });
  }

  it("opens what this program seals now, in every suite and form", () => {
    const questions: Question[] = [];
    const plaintexts: string[] = [];
    for (let round = 0; round < 50; round++) {
      const secret = randomBytes(32);
      const dek = secret.toString("hex");
      const key = DataKey.fromBytes(secret);
      const keyring: KeyReference = { form: "keyring", shortId: key.shortId };
      const inline: KeyReference = { form: "inline", id: key.id, kek: "main", wrapped: randomBytes(40) };
      for (const reference of [keyring, inline]) {
        for (const suite of [1, 2] as const) {
          const binding = {
            tenant: "t1",
            dataset: "dätä",
            field: `$['f${round}']`,
            record: suite === 1 ? "é😀" : undefined,
          };
          const plaintext = Buffer.from(JSON.stringify(randomBytes(round).toString("base64")));
          const token = key.seal({ suite, plaintext, rawBytes: false, binding, pad: 1 + round }, reference);
          questions.push({ ...binding, token, dek, record: binding.record ?? null });
          plaintexts.push(plaintext.toString("hex"));
        }
      }
      key.release();
    }
    const expected = plaintexts.map((plaintext) => ({ verdict: "open", plaintext }));
    expect(ask(questions)).to.deep.equal(expected);
  });
});
