/** Addresses, not names: what `localhost` means is the resolver's choice. */
const loopback = /^(127(\.[0-9]{1,3}){3}|\[::1\])$/;

/** True for an https URL, or plain http on a loopback address; no user, path, query or fragment. */
export function isAllowedEndpoint(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.href !== `${url.origin}/`) return false;
  return url.protocol === "https:" || (url.protocol === "http:" && loopback.test(url.hostname));
}
