import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** Roles whose policies docs/kms/vault.md prints, for the key `patients`. */
export type BaoRole = "sidecar-keyring" | "sidecar-inline" | "key-administrator" | "sidecar-one-tenant";

const page = resolve(import.meta.dirname, "../../../docs/kms/vault.md");

export function documentedPolicy(role: BaoRole): string {
  const block = new RegExp(`\`\`\`hcl policy=${role}\n([^\`]+)\`\`\``, "u").exec(readFileSync(page, "utf8"));
  if (block === null) throw new Error(`docs/kms/vault.md has no policy ${role}`);
  return block[1] ?? "";
}
