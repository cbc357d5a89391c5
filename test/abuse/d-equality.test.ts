import { expect } from "chai";
import { randomBytes } from "node:crypto";

import { abuse, type AbuseCase } from "../rig/abuse-case.ts";
import { json, mapped } from "../rig/document.ts";
import { t1, t2 } from "../rig/rig.ts";

const deterministic = { forms: ["keyring"] } as const;

/** Seals `value` in one field of a new document and gives the sealed value. */
async function sealed(test: AbuseCase, field: "email" | "emailOfKin", value: string, tenant: string): Promise<string> {
  const quoted = mapped(JSON.stringify(value));
  const document = field === "email" ? json`{"email":${quoted}}` : json`{"emailOfKin":${quoted}}`;
  const [token = ""] = await test.seals(document, { tenant });
  return token;
}

describe("D: equal values in deterministic fields", () => {
  abuse(
    "D-01 the same e-mail of two tenants seals to different values, of one tenant to the same",
    async (test) => {
      const email = `${test.canary}@example.org`;
      const tokens = [await sealed(test, "email", email, t1), await sealed(test, "email", email, t1)];
      expect(tokens[0]).to.equal(tokens[1]);
      expect(await sealed(test, "email", email, t2)).to.not.equal(tokens[0]);
      // Nor can one tenant's value be laid before another: it opens nowhere but where it was sealed.
      const path = test.newPath();
      test.rig.upstream.plant(path, `{"email":"${tokens[0] ?? ""}"}`);
      await test.failsToOpen(path, { tenant: t2 });
      await test.reads(path, Buffer.from(`{"email":"${email}"}`), { tenant: t1 });
    },
    deterministic,
  );

  abuse(
    "D-02 the same value in two deterministic fields seals to different values, which cannot change places",
    async (test) => {
      const email = `${test.canary}@example.org`;
      const token = await sealed(test, "email", email, t1);
      expect(await sealed(test, "emailOfKin", email, t1)).to.not.equal(token);
      const path = test.newPath();
      test.rig.upstream.plant(path, `{"emailOfKin":"${token}"}`);
      await test.failsToOpen(path);
    },
    deterministic,
  );

  abuse(
    "D-02 values that differ in one character, their length or an escape only are told apart as the plaintext tells them",
    async (test) => {
      const base = `${test.canary}-${randomBytes(4).toString("hex")}`;
      const values = [base, `${base} `, base.toUpperCase(), `${base}\u0000`, `${base}\u00e9`, `${base}e\u0301`];
      const tokens = new Set<string>();
      for (const value of values) tokens.add(await sealed(test, "email", value, t1));
      expect(tokens.size).to.equal(values.length);
    },
    deterministic,
  );
});
