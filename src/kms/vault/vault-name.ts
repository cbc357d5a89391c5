/*
 * Names that become parts of a path or a header. None of them can hold a segment `.` or `..`, an escape, or anything that ends a
 * path or a header. Anchored, as patterns for the JSON schema too.
 */

const segment = "[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}";

/** Where a secrets engine or an auth method is mounted: one name or several with `/` between them. */
export const vaultMountPattern = `^${segment}(/${segment}){0,7}$`;

/** As Vault itself allows: a letter, digit or `_` at both ends. */
export const vaultKeyPattern = "^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?$";

/** A path of namespaces, with or without a `/` at the end. */
export const vaultNamespacePattern = `^${segment}(/${segment}){0,7}/?$`;

/** Roles of auth methods, and role ids: one word of printable characters. */
export const vaultRolePattern = "^[\\x21-\\x7e]{1,256}$";

const matcher = (pattern: string): ((text: string) => boolean) => {
  const expression = new RegExp(pattern);
  return (text) => expression.test(text);
};

export const isVaultMount = matcher(vaultMountPattern);
export const isVaultKey = matcher(vaultKeyPattern);
export const isVaultNamespace = matcher(vaultNamespacePattern);
export const isVaultRole = matcher(vaultRolePattern);
