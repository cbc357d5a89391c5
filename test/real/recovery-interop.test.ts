import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { contextBytes, dataContext, rootContext } from "../../src/kms/context.ts";
import { createRecoveryKey, openRecoveryKms } from "../../src/kms/recovery/recovery.ts";
import { readRecoverySecret } from "../../src/kms/recovery/recovery-key.ts";

interface Question {
  /** 1 AES-128-GCM, 2 AES-256-GCM. */
  readonly aead: 1 | 2;
  readonly secret: string;
  readonly enc: string;
  readonly info: string;
  readonly aad: string;
  readonly ciphertext: string;
}

/** RFC 9180 appendix A.1.1, sequence number 0. It has no vectors for AES-256-GCM: the two differ by the AEAD's number and key. */
const published: Question = {
  aead: 1,
  secret: "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
  enc: "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
  info: "4f6465206f6e2061204772656369616e2055726e",
  aad: "436f756e742d30",
  ciphertext: "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
};

const reader = fileURLToPath(new URL("../interop/hpke.py", import.meta.url));

/** What the Python reader makes of each message. Fails, never skips, when it cannot run: it needs `cryptography`. */
function ask(questions: readonly Question[]): readonly unknown[] {
  const input = questions.map((question) => JSON.stringify(question)).join("\n");
  const run = spawnSync(process.env["SEALWRIGHT_PYTHON"] ?? "python3", [reader], { input, encoding: "utf8" });
  if (run.error !== undefined) throw run.error;
  expect(run.status, run.stderr).to.equal(0);
  const lines = run.stdout.trimEnd().split("\n");
  return lines.map((line): unknown => JSON.parse(line));
}

describe("wraps of a recovery key, read by an independent HPKE in Python", () => {
  it("are read by one that opens the published vector", () => {
    const plaintext = Buffer.from("Beauty is truth, truth beauty").toString("hex");
    expect(ask([published])).to.deep.equal([{ plaintext }]);
  });

  it("open to the key under their own context, and under no other", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sealwright-test-"));
    try {
      const secretFile = join(folder, "secret.txt");
      const kms = await openRecoveryKms({ provider: "recovery", recipient: await createRecoveryKey(secretFile) });
      const secret = (await readRecoverySecret(secretFile)).toString("hex");
      const context = dataContext({ tenant: "t1", dataset: "patients" });
      const questions: Question[] = [];
      const expected: unknown[] = [];
      for (let round = 0; round < 20; round += 1) {
        const { plaintext, wrapped } = await kms.generate(context);
        const message = {
          aead: 2 as const,
          secret,
          enc: wrapped.toString("hex", 1, 33),
          info: Buffer.from("sealwright/v1 recovery").toString("hex"),
          ciphertext: wrapped.toString("hex", 33),
        };
        questions.push({ ...message, aad: contextBytes(context).toString("hex") });
        questions.push({ ...message, aad: contextBytes(rootContext).toString("hex") });
        expected.push({ plaintext: plaintext.toString("hex") }, { refused: true });
      }
      expect(ask(questions)).to.deep.equal(expected);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
