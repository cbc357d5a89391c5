/** The layers as data, from the bottom up: what each holds and which others its files may import. Siblings are on no list of each other. */
export interface LayerRow {
  readonly holds: string;
  readonly mayImport: readonly string[];
}

const ground = ["base"];
const siblings = ["crypto", "kms", "fieldmap", "codec"];

export const layerTable: Readonly<Record<string, LayerRow>> = {
  base: { holds: "errors, bytes, units, clock, caches, YAML with positions, ports for log and metrics", mayImport: [] },
  crypto: { holds: "sealed value, suites, key derivation: pure, no IO, no clock", mayImport: ground },
  kms: { holds: "one port, providers, decorators", mayImport: ground },
  fieldmap: { holds: "YAML to typed policy, path compiler, matcher", mayImport: ground },
  codec: { holds: "bytes in, bytes out; knows callbacks, not keys or policy", mayImport: ground },
  keys: { holds: "keyring store, cache, life cycle, provenance", mayImport: [...ground, "crypto", "kms"] },
  engine: { holds: "where policy, codec and keys meet", mayImport: [...ground, ...siblings, "keys"] },
  proxy: { holds: "sockets, TLS, HTTP", mayImport: [...ground, ...siblings, "keys", "engine"] },
  ops: { holds: "logs, metrics, health, admin", mayImport: [...ground, ...siblings, "keys", "engine", "proxy"] },
  app: {
    holds: "config, composition root, commands, demo",
    mayImport: [...ground, ...siblings, "keys", "engine", "proxy", "ops"],
  },
};

/** Built-in modules that a layer must not touch, with the reason. */
export const bannedBuiltins: Readonly<Record<string, { readonly modules: RegExp; readonly reason: string }>> = {
  crypto: {
    modules: /^node:(fs|net|tls|http|https|http2|dns|child_process|timers|worker_threads)/,
    reason: "pure: no IO",
  },
  fieldmap: {
    modules: /^node:(net|tls|http|https|http2|dns|child_process|worker_threads)/,
    reason: "reads one file, no more",
  },
  codec: {
    modules: /^node:(fs|net|tls|http|https|http2|dns|child_process|worker_threads)/,
    reason: "bytes in, bytes out",
  },
  engine: {
    modules: /^node:(fs|net|tls|http|https|http2|dns|child_process|worker_threads)/,
    reason: "no IO of its own",
  },
};

/** The only files that may use `node:crypto`, each with its reason. A path that ends in `/` is a folder. An unused row fails. */
export const cryptoUsers: Readonly<Record<string, string>> = {
  "crypto/": "the sealed-value format itself",
  "codec/name-seed.ts": "secret multipliers and digests of the set that finds duplicate names",
  "kms/random-key.ts": "data keys, for key services that make none",
  "kms/pkcs11/context-digest.ts": "binds data keys to their context where an HSM authenticates none",
  "kms/local/local.ts": "the development KMS wraps keys itself",
  "kms/recovery/webcrypto-names.d.ts": "types only, for the library that wraps to recovery keys",
  "keys/keyring/keyring-mac.ts": "authentication code of the keyring file",
  "keys/wrap-digest.ts": "names wrapped keys in caches",
  "keys/life-cycle/keyring-backup.ts": "digest by which damage is found without a key service",
  "proxy/certificate.ts": "reads certificates, for their dates and issuers",
  "proxy/forwarded-peer.ts": "digest of a client's certificate, for the app",
  "proxy/pins.ts": "digest of a pinned certificate's public key",
  "app/streams/marked-digest.ts": "digests of what a stream has read and written, by which it is resumed",
  "app/demo/pki.ts": "certificates of the demo and the tests",
  "app/demo/webcrypto-names.d.ts": "types only, for the library that makes those certificates",
};

/** Names that say nothing of what a file holds. */
export const emptyNames =
  /^(utils?|helpers?|common|misc|shared|stuff|types\d+|lib|core|manager|tools?|index|general|various)$/i;

export const longestFile = 400;
