/**
 * A key ARN (`arn:aws:kms:eu-west-1:111122223333:key/<id>`) or a bare key id, plain or multi-region.
 *
 * Aliases are refused. An alias is a pointer that whoever holds kms:UpdateAlias can turn to another key, while a KEK's name is
 * permanent and the key that the service used must be checked in every answer: with an alias there is nothing to check against.
 */
const keyId = "(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})";
const bareId = new RegExp(`^${keyId}$`);
const keyArn = new RegExp(`^arn:aws[a-z-]*:kms:(?<region>[a-z0-9-]+):[0-9]{12}:key/(?<id>${keyId})$`);

/** What the service may name as the key it used. */
export type AwsKey = { readonly arn: string } | { readonly id: string; readonly region: string };

/** `undefined` for an alias, for what is no key id, and for an ARN of another region than `region`. */
export function parseAwsKeyId(text: string, region: string): AwsKey | undefined {
  if (bareId.test(text)) return { id: text, region };
  return keyArn.exec(text)?.groups?.["region"] === region ? { arn: text } : undefined;
}

/**
 * True when `answered`, the KeyId of an answer, is `key`. The service always answers the whole ARN: a configured ARN must be
 * equal, a bare id must be the last part of an ARN of the region (it can only lie in the caller's own account).
 */
export function isAnsweredBy(key: AwsKey, answered: unknown): boolean {
  if (typeof answered !== "string") return false;
  if ("arn" in key) return answered === key.arn;
  const groups = keyArn.exec(answered)?.groups;
  return groups?.["id"] === key.id && groups["region"] === key.region;
}
