/** A key of Cloud KMS, never one of its versions: the service picks the primary one for wrapping and knows the one to unwrap with. */
export const gcpKeyPattern =
  "^projects/([a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{0,29}/locations/[a-z0-9-]{1,63}/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63}$";

const keyName = new RegExp(gcpKeyPattern);

/**
 * True for `projects/ID/locations/L/keyRings/R/cryptoKeys/K`. A project's number is refused: answers name projects by their id,
 * and what answers name is compared.
 */
export function isGcpKeyName(text: string): boolean {
  return keyName.test(text);
}

/** True when `answered`, the name in an answer, is a version of the key `name`. */
export function isVersionOf(name: string, answered: string): boolean {
  const versions = `${name}/cryptoKeyVersions/`;
  return answered.startsWith(versions) && /^[1-9][0-9]{0,18}$/.test(answered.slice(versions.length));
}
