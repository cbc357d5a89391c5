/** The two files that the demo's operator writes: the platform and the fields. */

export interface DemoPorts {
  /** The store, by TLS. */
  readonly store: number;
  /** The store again, for tools that do not know its key exchange group. */
  readonly lookout: number;
  /** Sealwright's outbound listener: what the app takes for its store. */
  readonly outbound: number;
  /** Sealwright's inbound listener, by TLS. */
  readonly inbound: number;
  /** Sealwright's admin listener. */
  readonly admin: number;
  /** The app's own listener. */
  readonly app: number;
}

/** Key service and keys of the demo. */
const localKeyring = `kms:
  dev: { provider: local, keyFile: kek.json } # for development; aws in production
keys:
  form: keyring
  kek: dev
  keyring: keyring.json
`;

/** Sidecar file; `keys` = its members `kms` and `keys`. The files it names lie beside it. */
export const sidecarFile = (ports: DemoPorts, keys = localKeyring): string => `apiVersion: sealwright.dev/v1
kind: Sidecar
admin: { listen: 127.0.0.1:${ports.admin} }
identities:
  default: { cert: sealwright.crt, key: sealwright.key }
trust:
  mesh: { ca: ca.crt }
${keys}fieldMaps: [patients.yaml]
listeners:
  - name: door
    direction: inbound
    listen: 127.0.0.1:${ports.inbound}
    tls: { identity: default, clients: { trust: mesh, allow: ["dns:gateway.internal"] } }
    upstream: { url: "http://127.0.0.1:${ports.app}" }
  - name: store
    direction: outbound
    listen: 127.0.0.1:${ports.outbound}
    upstream:
      url: https://localhost:${ports.store}
      identity: default
      trust: mesh
      allow: ["dns:localhost"]
    fieldMaps: [patients]
    unmatched: deny
`;

/** Field map for documents behind the CouchDB API. */
export const fieldMapFile = `apiVersion: sealwright.dev/v1
kind: FieldMap
dataset: patients
tenant: { constant: st-elsewhere }
record: [{ path: id }, $._id]
fields:
  - { name: fullName, path: $.fullName }
  - { name: ssn, path: $.ssn }
  - { name: weightKg, path: $.weightKg } # a number; comes back as the number it was
  - { name: allergies, path: $.allergies } # a list, sealed whole
  - { name: phone, path: "$.contacts[*].phone" }
  - { name: notes, path: $.notes, pad: 64 }
routes:
  - { match: { methods: [PUT], path: "/{db}/{id}" }, request: { seal: [$] } }
  - { match: { methods: [GET], path: "/{db}/{id}" }, response: { open: [$] } }
  # Without an id of its own a document is sealed unbound: its values could be moved to another document of the tenant.
  - { match: { methods: [POST], path: "/{db}" }, record: [$._id], whenAbsent: unbound, request: { seal: [$] } }
  - match: { methods: [POST], path: "/{db}/_bulk_docs" }
    record: [$._id]
    whenAbsent: unbound
    request: { seal: ["$.docs[*]"] }
  - { match: { methods: [GET], path: "/{db}/_all_docs" }, record: [$._id], response: { open: ["$.rows[*].doc"] } }
  - match: { methods: [POST], path: "/{db}/_all_docs" }
    record: [$._id]
    request: { pass: true }
    response: { open: ["$.rows[*].doc"] }
  - match: { methods: [POST], path: "/{db}/_find" }
    record: [$._id] # so a query that lists fields must list _id
    request: { pass: true }
    response: { open: ["$.docs[*]"] }
  - { match: { methods: [GET], path: "/{db}/_changes" }, record: [$._id], response: { open: ["$.results[*].doc"] } }
  - { match: { methods: [POST], path: "/{db}/_index" }, request: { pass: true } }
  - { match: { methods: [GET], path: / }, passthrough: true }
  - { match: { methods: [PUT, GET, DELETE], path: "/{db}" }, passthrough: true }
  - { match: { methods: [DELETE], path: "/{db}/{id}" }, passthrough: true }
  - { match: { methods: [PUT, GET, DELETE], path: "/{db}/{id}/{attachment}" }, passthrough: true }
  - { match: { path: "/{db}/_design/**" }, passthrough: true }
  - { match: { path: "/{db}/_local/**" }, passthrough: true }
`;
