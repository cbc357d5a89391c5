import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** Roles whose policies docs/kms/aws.md prints. */
export type AwsRole = "sidecar-keyring" | "sidecar-inline" | "key-administrator";

const page = resolve(import.meta.dirname, "../../../docs/kms/aws.md");

interface Policy {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

/** The actions that the role's policy allows, as moto names them: to it ReEncrypt is one action. */
export function documentedActions(role: AwsRole): readonly string[] {
  const block = new RegExp(`\`\`\`json policy=${role}\n([^\`]+)\`\`\``, "u").exec(readFileSync(page, "utf8"));
  if (block === null) throw new Error(`docs/kms/aws.md has no policy ${role}`);
  const { Statement } = JSON.parse(block[1] ?? "") as Policy;
  const actions = Statement.flatMap(({ Action }) => Action);
  const both = ["kms:ReEncryptFrom", "kms:ReEncryptTo"];
  return both.every((action) => actions.includes(action)) ? [...actions, "kms:ReEncrypt"] : actions;
}
