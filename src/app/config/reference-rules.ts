import { formatListenAddress, isLoopback, type ListenAddress } from "../../base/listen-address.ts";
import type { YamlPath } from "../../base/yaml/yaml-value.ts";
import type { Breach } from "./breach.ts";
import type { ListenerFile } from "./listener-schema.ts";
import type { ReadableSidecar } from "./readable-sidecar.ts";
import type { SidecarRule } from "./rule-table.ts";

interface Reference {
  readonly rule: SidecarRule;
  readonly path: YamlPath;
  readonly name: string | undefined;
  readonly known: readonly string[];
}

/** Every place where one setting names another. */
function references(file: ReadableSidecar): readonly Reference[] {
  const { identities, trust, kms } = file.names;
  return [
    { rule: "unknown-kek", path: ["keys", "kek"], name: file.keys?.kek, known: kms },
    ...(file.keys?.wraps ?? []).map((name, index): Reference => ({
      rule: "unknown-kek",
      path: ["keys", "wraps", index],
      name,
      known: kms,
    })),
    ...file.listeners.flatMap(({ index, value }): readonly Reference[] => {
      const at = ["listeners", index];
      const { tls, upstream } = value;
      const clients = [...at, "tls", "clients", "trust"];
      return [
        { rule: "unknown-identity", path: [...at, "tls", "identity"], name: tls?.identity, known: identities },
        { rule: "unknown-trust", path: clients, name: tls?.clients?.trust, known: trust },
        { rule: "unknown-identity", path: [...at, "upstream", "identity"], name: upstream.identity, known: identities },
        { rule: "unknown-trust", path: [...at, "upstream", "trust"], name: upstream.trust, known: trust },
      ];
    }),
  ];
}

interface Bound {
  readonly address: ListenAddress;
  readonly path: YamlPath;
}

function boundAddresses(file: ReadableSidecar): readonly Bound[] {
  return [
    ...file.sockets.map(({ name, value }) => ({ address: value, path: [name, "listen"] })),
    ...file.listeners.map(({ index, value }) => ({ address: value.listen, path: ["listeners", index, "listen"] })),
  ];
}

const everyHost = (host: string): boolean => host === "0.0.0.0" || /^[0:]+$/.test(host);

/** Port 0 takes any free port and meets nobody; the address of every interface meets all others of its port. */
function collide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === "unix" || b.kind === "unix") return formatListenAddress(a) === formatListenAddress(b);
  return a.port === b.port && a.port !== 0 && (a.host === b.host || everyHost(a.host) || everyHost(b.host));
}

function collisions(file: ReadableSidecar): readonly Breach[] {
  const bound = boundAddresses(file);
  return bound
    .filter(({ address }, index) => bound.slice(0, index).some((earlier) => collide(earlier.address, address)))
    .map(({ path }) => ({ rule: "listen-collision", path }));
}

function isLoop({ upstream }: ListenerFile, bound: readonly Bound[]): boolean {
  const { hostname, port } = upstream.url;
  const local = hostname === "localhost" || isLoopback(hostname);
  return bound.some(
    ({ address }) =>
      address.kind === "tcp" &&
      address.port === port &&
      (address.host === hostname || (local && (everyHost(address.host) || isLoopback(address.host)))),
  );
}

function duplicates(file: ReadableSidecar): readonly Breach[] {
  const names = file.listeners.map(({ value }) => value.name);
  return file.listeners
    .filter(({ value }, position) => names.indexOf(value.name) < position)
    .map(({ index }) => ({ rule: "duplicate-listener", path: ["listeners", index, "name"] }));
}

function repeatedKeks({ keys }: ReadableSidecar): readonly Breach[] {
  if (keys?.wraps === undefined) return [];
  const named = [keys.kek, ...keys.wraps];
  return keys.wraps.flatMap((name, index): readonly Breach[] =>
    named.indexOf(name) <= index ? [{ rule: "duplicate-kek", path: ["keys", "wraps", index] }] : [],
  );
}

/** The first KEK makes data keys and opens what is sealed under them; a recovery key does only where its secret is. */
function kekWithoutSecret({ keys, kms }: ReadableSidecar): readonly Breach[] {
  const first = kms.find(({ name }) => name === keys?.kek)?.value;
  return first?.provider === "recovery" && first.secretFile === undefined
    ? [{ rule: "kek-cannot-unwrap", path: ["keys", "kek"] }]
    : [];
}

/** Names that nothing has, and things that must be one but are two. */
export function referenceBreaches(file: ReadableSidecar): readonly Breach[] {
  const bound = boundAddresses(file);
  return [
    ...references(file).flatMap(({ rule, path, name, known }) =>
      name === undefined || known.includes(name) ? [] : [{ rule, path, known }],
    ),
    ...duplicates(file),
    ...repeatedKeks(file),
    ...kekWithoutSecret(file),
    ...collisions(file),
    ...file.listeners
      .filter(({ value }) => isLoop(value, bound))
      .map(({ index }) => ({ rule: "upstream-loop" as const, path: ["listeners", index, "upstream", "url"] })),
  ];
}
