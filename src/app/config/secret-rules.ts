import type { YamlPath } from "../../base/yaml/yaml-value.ts";
import type { Breach } from "./breach.ts";

/** Settings whose values look like keys and are none: ids, names of keys, and digests of public keys. */
const publicSettings: ReadonlySet<string | number> = new Set(["rootId", "pins", "keyId", "keyName"]);

/** Names under which people write secrets. None of them is a setting. */
const secretNames =
  /^(?:pass(?:word|wd|phrase)?|pin|secret|token|(?:api|access|private|secret|signing)[_-]?key(?:id)?|secretaccesskey|credentials?)$/i;

/** Values that give themselves away wherever they stand. */
const secretForms: readonly RegExp[] = [
  /-----BEGIN /,
  // Cloud access keys and Vault tokens.
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  // The secret of a recovery key.
  /\bswr-recovery-secret-1/i,
  /^(?:hvs|hvb|s)\.[A-Za-z0-9_-]{20,}$/,
  // A user and password in a URL.
  /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*:[^/@\s]*@/i,
  // 32 bytes or more in hex.
  /^[0-9a-fA-F]{64,}$/,
];

/** 32 bytes or more in base64 of either alphabet: mixed letters and digits, and no path. */
function looksLikeKey(text: string): boolean {
  if (!/^[A-Za-z0-9+/_-]{43,}={0,2}$/.test(text) || /^[./~]/.test(text)) return false;
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /[0-9]/.test(text);
}

/** `kms.*.token` is the label of an HSM's token, which is no longer than this. */
function isHsmToken(path: YamlPath, text: string): boolean {
  return path.length === 3 && path[0] === "kms" && path[2] === "token" && text.length <= 32;
}

function isSecret(path: YamlPath, text: string): boolean {
  if (path.some((step) => publicSettings.has(step))) return /-----BEGIN /.test(text);
  const name = path.at(-1);
  if (typeof name === "string" && secretNames.test(name) && !isHsmToken(path, text)) return true;
  return secretForms.some((form) => form.test(text)) || looksLikeKey(text);
}

/** Keys, tokens and passwords in the file itself, known or unknown settings alike. `value` = the file as YAML gave it. */
export function secretBreaches(value: unknown, path: YamlPath = []): readonly Breach[] {
  if (typeof value === "string") return isSecret(path, value) ? [{ rule: "secret-in-file", path }] : [];
  if (Array.isArray(value))
    return (value as readonly unknown[]).flatMap((element, index) => secretBreaches(element, [...path, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => secretBreaches(member, [...path, name]));
}
