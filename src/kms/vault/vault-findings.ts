import { z } from "zod";
import { failureDetail, type Finding } from "../../base/finding.ts";
import type { VaultKmsConfig } from "../kms-config.ts";
import type { ProviderPorts } from "../kms-ports.ts";
import type { VaultClient } from "./vault-client.ts";
import { openVaultClient } from "./vault.ts";

type Look = (client: VaultClient, config: VaultKmsConfig) => Promise<Omit<Finding, "check">>;

/** A key that nobody has: what a policy grants on it, it grants on any name. */
const strangeKey = "sealwright-no-such-key";

const capabilities = z.object({ data: z.record(z.string(), z.unknown()) });
const words = z.array(z.string());

/**
 * What the doctor says of a Vault or OpenBao: what the policy grants beyond use, how the key is made, how long the token lives.
 * Looks only: makes no key and wraps nothing. Never throws; what could not be looked at is `unknown`.
 */
export async function vaultFindings(config: VaultKmsConfig, ports: ProviderPorts): Promise<readonly Finding[]> {
  const named = (what: string): string => `kms ${ports.kek}: ${what}`;
  let client: VaultClient;
  try {
    client = await openVaultClient(config, ports);
  } catch (error) {
    return [{ check: named("opened"), status: "unknown", detail: failureDetail(error) }];
  }
  try {
    const findings: Finding[] = [];
    // One after another: the first logs in.
    for (const { what, look } of looks) {
      const found = await look(client, config).catch(
        (error: unknown) => ({ status: "unknown", detail: failureDetail(error) }) as const,
      );
      findings.push({ check: named(what), ...found });
    }
    return findings;
  } finally {
    await client.close();
  }
}

const policyGrantsUse: Look = async (client, { mount, key }) => {
  const granted = await grantedOn(
    client,
    ["decrypt", "datakey/plaintext", "encrypt", "rewrap"].map((verb) => `${mount}/${verb}/${key}`),
  );
  if (granted === undefined) return notTold;
  const missing = [...granted].filter(([, can]) => !may(can, "update")).map(([path]) => path);
  if (missing.length === 0) return { status: "ok", detail: "decrypt, datakey, encrypt and rewrap" };
  const fix = `Grant update on ${missing.join(", ")}, as far as this caller needs it.`;
  // A sidecar that only opens needs decrypt alone.
  const opens = !missing.includes(`${mount}/decrypt/${key}`);
  return { status: opens ? "ok" : "not ok", detail: `not granted: ${missing.join(", ")}`, fix };
};

const policyCannotCreate: Look = async (client, { mount, key }) => {
  const paths = [`${mount}/encrypt/${key}`, `${mount}/encrypt/${strangeKey}`];
  const granted = await grantedOn(client, paths);
  if (granted === undefined) return notTold;
  if (![...granted.values()].some((can) => may(can, "create"))) return { status: "ok", detail: "no create on encrypt" };
  return {
    status: "not ok",
    detail: "the policy grants create on encrypt: asked to encrypt under a misspelt name, the service makes a new key",
    fix: `Grant update, and not create, on ${mount}/encrypt/${key}.`,
  };
};

const policyIsForOneKey: Look = async (client, { mount, key }) => {
  const beyond = [
    `${mount}/decrypt/${strangeKey}`,
    `${mount}/keys/${key}/config`,
    `${mount}/keys/${key}/rotate`,
    `${mount}/export/encryption-key/${key}`,
    `${mount}/backup/${key}`,
  ];
  const granted = await grantedOn(client, beyond);
  if (granted === undefined) return notTold;
  const found = [...granted].filter(([, can]) => ["update", "create", "read"].some((word) => may(can, word)));
  if (found.length === 0) return { status: "ok", detail: "this key, and its use only" };
  const detail = `the policy reaches further: ${found.map(([path]) => path).join(", ")}`;
  return {
    status: "not ok",
    detail,
    fix: "Name the one key in the policy's paths; leave its administration to others.",
  };
};

const described = z.object({
  data: z.object({
    derived: z.boolean(),
    type: z.string().regex(/^[a-z0-9-]{1,40}$/),
    exportable: z.boolean(),
    deletion_allowed: z.boolean(),
    allow_plaintext_backup: z.boolean().default(false),
  }),
});

const keyIsFit: Look = async (client) => {
  const { status, body } = await client.describe();
  if (status === 403)
    return {
      status: "unknown",
      detail: "the policy lets nobody read it here; that it is derived is proven at its first use",
    };
  if (status === 404)
    return { status: "not ok", detail: "no such key", fix: "Make it with derived=true, or mend its name." };
  const parsed = described.safeParse(body);
  if (status !== 200 || !parsed.success) return { status: "unknown", detail: `answer ${status}` };
  const { data } = parsed.data;
  const flaws = [
    ...(data.derived ? [] : ["it is not derived, so it binds no tenant and dataset"]),
    ...(data.exportable ? ["it can be exported"] : []),
    ...(data.allow_plaintext_backup ? ["it can be backed up in clear"] : []),
    ...(data.deletion_allowed ? ["it can be deleted, and with it every data key that it wraps"] : []),
  ];
  if (flaws.length === 0) return { status: "ok", detail: `${data.type}, derived` };
  const fix = "Make another key with derived=true and nothing more, and move the wraps to it; forbid deletion.";
  return { status: "not ok", detail: `${data.type}: ${flaws.join("; ")}`, fix };
};

const lookedUp = z.object({
  data: z.object({
    ttl: z.number(),
    expire_time: z.string().nullish(),
    renewable: z.boolean().default(false),
    policies: z.array(z.string()).nullish(),
  }),
});

const tokenEnds: Look = async (client) => {
  const { status, body } = await client.look({ method: "GET", path: "auth/token/lookup-self" });
  const parsed = lookedUp.safeParse(body);
  if (status !== 200 || !parsed.success) return notTold;
  const { ttl, expire_time: end, renewable, policies } = parsed.data.data;
  if (policies?.includes("root") === true)
    return {
      status: "not ok",
      detail: "a root token",
      fix: "Give the sidecar a login of its own, with the policy of use.",
    };
  if (typeof end !== "string")
    return { status: "not ok", detail: "it has no end", fix: "Give the token a period or a time to live." };
  return { status: "ok", detail: `ends in ${Math.round(ttl)} s, ${renewable ? "renewable" : "not renewable"}` };
};

const looks: readonly { readonly what: string; readonly look: Look }[] = [
  { what: "token", look: tokenEnds },
  { what: "policy grants use", look: policyGrantsUse },
  { what: "policy makes no keys", look: policyCannotCreate },
  { what: "policy is for this key", look: policyIsForOneKey },
  { what: "key", look: keyIsFit },
];

const notTold = {
  status: "unknown",
  detail: "the token may not ask what it may do",
  fix: "Give it the policy default as well, or look by hand.",
} as const;

async function grantedOn(
  client: VaultClient,
  paths: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  const { status, body } = await client.look({ method: "POST", path: "sys/capabilities-self", message: { paths } });
  const parsed = capabilities.safeParse(body);
  if (status !== 200 || !parsed.success) return undefined;
  return new Map(paths.map((path) => [path, words.safeParse(parsed.data.data[path]).data ?? []]));
}

function may(granted: readonly string[], capability: string): boolean {
  return granted.includes(capability) || granted.includes("root");
}
