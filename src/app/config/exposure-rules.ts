import { isLoopback, type ListenAddress } from "../../base/listen-address.ts";
import type { Breach } from "./breach.ts";
import type { ListenerFile } from "./listener-schema.ts";
import type { Numbered, ReadableSidecar } from "./readable-sidecar.ts";

/** True when only this host reaches the address. */
export function isPrivateAddress(address: ListenAddress): boolean {
  return address.kind === "unix" || isLoopback(address.host);
}

function listenerBreaches({ index, value }: Numbered<ListenerFile>): readonly Breach[] {
  const at = ["listeners", index];
  const breaches: Breach[] = [];
  const exposed = !isPrivateAddress(value.listen);
  if (value.direction === "inbound" && value.tls === undefined)
    breaches.push({ rule: "inbound-without-tls", path: [...at, "listen"] });
  if (value.direction === "outbound" && exposed && value.tls === undefined)
    breaches.push({ rule: "outbound-exposed", path: [...at, "listen"] });
  if (value.direction === "outbound" && exposed && value.tls !== undefined && value.tls.clients?.allow === undefined)
    breaches.push({ rule: "outbound-clients", path: [...at, "tls"], at: "key" });
  if (value.tls?.clients?.trusted === true && value.tls.clients.allow === undefined)
    breaches.push({ rule: "trusted-without-allow", path: [...at, "tls", "clients", "trusted"] });
  return [...breaches, ...upstreamBreaches(value, [...at, "upstream"])];
}

function upstreamBreaches({ upstream }: ListenerFile, at: readonly (string | number)[]): readonly Breach[] {
  if (upstream.url.protocol === "https:")
    return upstream.trust === undefined ? [{ rule: "upstream-without-trust", path: at, at: "key" }] : [];
  const unused = (["identity", "trust", "allow", "pins", "pinFile"] as const).filter(
    (setting) => upstream[setting] !== undefined && (setting !== "pins" || upstream.pins.length > 0),
  );
  return [
    ...(isLoopback(upstream.url.hostname) ? [] : [{ rule: "upstream-clear" as const, path: [...at, "url"] }]),
    ...unused.map((setting) => ({ rule: "upstream-tls-unused" as const, path: [...at, setting], at: "key" as const })),
  ];
}

/** What others could reach, read or pose as. */
export function exposureBreaches(file: ReadableSidecar): readonly Breach[] {
  const admin = file.sockets.filter(({ name, value }) => name === "admin" && !isPrivateAddress(value));
  return [
    ...admin.map(() => ({ rule: "admin-exposed" as const, path: ["admin", "listen"] })),
    ...file.listeners.flatMap(listenerBreaches),
  ];
}
