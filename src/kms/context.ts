import { lengthPrefixed } from "../base/bytes.ts";

/**
 * What a wrapped key is bound to: exactly the scope of the key, never data. It shows in clear in the key service's audit log.
 * Members are in order of their names.
 */
export type KmsContext = Readonly<Record<string, string>>;

/** Context of a data key: `{ sealwright: "v1", tenant?, dataset? }`. */
export function dataContext(scope: { readonly tenant?: string; readonly dataset?: string }): KmsContext {
  return Object.freeze({
    ...(scope.dataset === undefined ? {} : { dataset: scope.dataset }),
    sealwright: "v1",
    ...(scope.tenant === undefined ? {} : { tenant: scope.tenant }),
  });
}

/** Context of the keyring's root: exactly `{ sealwright: "v1", purpose: "root" }`. */
export const rootContext: KmsContext = Object.freeze({ purpose: "root", sealwright: "v1" });

/**
 * For providers that take bytes: LP("sealwright/v1 context") | u8 count | per member by name: LP(name) | LP(value).
 * Length prefixes keep `{a:"1,b=2"}` and `{a:"1",b:"2"}` apart.
 */
export function contextBytes(context: KmsContext): Buffer {
  const members = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([
    lengthPrefixed("sealwright/v1 context"),
    Buffer.from([members.length]),
    ...members.flatMap(([name, value]) => [lengthPrefixed(name), lengthPrefixed(value)]),
  ]);
}
