/** One rule of the sidecar file: what is wrong and what to write instead. */
export interface SidecarRuleRow {
  readonly message: string;
  readonly fix: string;
}

const row = (message: string, fix: string): SidecarRuleRow => Object.freeze({ message, fix });

/**
 * Every rule of the sidecar file beyond the shape of its settings. Each has a file in `config/invalid/sidecar` that breaks it
 * and nothing else.
 */
export const sidecarRules = {
  // Scalars
  "duration-form": row("This is no duration.", "Write a whole number with ms, s, m, h or d, such as 30s."),
  "duration-range": row("No time at all, or more than a timer holds.", "Write a time from 1ms to 24d."),
  "rotation-every": row("Data keys would pile up.", "Write a day or more, such as 30d, or leave every out."),
  "decrypt-only-window": row("This window is too short or too long.", "Write a time from 30d to 90d."),
  "size-form": row("This is no size.", "Write a whole number with B, KiB, MiB or GiB, such as 512KiB."),
  "listen-form": row(
    "This is no address to listen on.",
    "Write an IP address and port, such as 127.0.0.1:8443 or [::1]:8443, or unix:/run/sealwright.sock.",
  ),
  "upstream-form": row("This is no upstream.", "Write http:// or https://, a host and a port; no path, query or user."),
  "peer-form": row(
    "This names no peer.",
    "Write dns:name, spiffe://domain/path, uri:... or ip:address, as the certificate has it.",
  ),
  "keyring-form": row(
    "This names no keyring.",
    "Write the path of the file or folder, or configmap:namespace/name for one in a ConfigMap of this cluster.",
  ),
  "pin-form": row("This is no pin.", "Write sha256/ and the base64 of the SHA-256 of the public key (SPKI)."),

  // What must not be reachable, readable or believed
  "admin-exposed": row(
    "The admin listener shows more than others may see.",
    "Bind it to 127.0.0.1 or a Unix socket; give the kubelet probes and the scraper metrics.",
  ),
  "outbound-exposed": row(
    "An outbound listener without TLS would open data for the whole network.",
    "Bind it to 127.0.0.1, or add tls with clients.",
  ),
  "outbound-clients": row(
    "An outbound listener beyond loopback would open data for any client.",
    "Add tls.clients with trust and allow.",
  ),
  "inbound-without-tls": row("An inbound listener without TLS.", "Add tls with an identity."),
  "upstream-clear": row(
    "Plain HTTP would leave this host.",
    "Use https with trust, or an upstream on 127.0.0.1 or [::1] (an IP literal, not a name).",
  ),
  "upstream-without-trust": row("An https upstream that anybody could pose as.", "Add upstream.trust."),
  "kms-endpoint-clear": row(
    "Keys would travel in clear.",
    "Use https, or an endpoint on 127.0.0.1 or [::1] for tests.",
  ),
  "kms-key-id": row(
    "This is no key of the region.",
    "Write the key's whole ARN or its bare id, of the region named beside it; an alias could be moved to another key.",
  ),
  "recovery-recipient": row(
    "This is no recipient of a recovery key, or it is mistyped.",
    "Write the line that begins with swr-recovery-1, as sealwright kek recovery printed it.",
  ),
  "kek-cannot-unwrap": row(
    "This KEK cannot unwrap here, so nothing sealed under its keys could be read.",
    "Name a key service as keys.kek and this recovery key in keys.wraps.",
  ),
  "kms-endpoint-form": row(
    "This is no endpoint.",
    "Write https:// and a host, with a port if need be; no path, query or user.",
  ),
  "kms-endpoint-choice": row(
    "fips and dualStack choose among AWS's public endpoints; here another one is named.",
    "Leave out endpoint, or name the endpoint that you mean and leave out fips and dualStack.",
  ),
  "trusted-without-allow": row(
    "Any client with a certificate could name any tenant.",
    "List the clients that may in tls.clients.allow.",
  ),
  "tenant-header-unsafe": row(
    "A field map takes the tenant from a header, which any caller of this listener could send.",
    "Use a loopback outbound listener, or an inbound one with tls.clients.allow and trusted: true.",
  ),
  "secret-in-file": row(
    "This looks like a key, a token or a password.",
    "Put it into a file of its own and write that file's path here.",
  ),
  "key-file-mode": row(
    "Others than its owner can read this key file.",
    "Run chmod 600 on it, or 0440 with a group of its own.",
  ),

  // What must exist
  "unknown-identity": row("No identity has this name.", "Add it under identities."),
  "unknown-trust": row("No trust has this name.", "Add it under trust."),
  "unknown-kek": row("No KMS has this name.", "Add it under kms."),
  "unknown-field-map": row("No field map is for this dataset.", "Add its file to fieldMaps at the top."),
  "keys-missing": row("A listener has field maps, but there are no keys.", "Add keys, with its form and kek."),
  "keyring-missing": row("Form keyring without a keyring.", "Add keys.keyring with the path that keys init wrote."),
  "file-missing": row("This file is not there.", "Put it there, or mend the path."),

  // What must be one
  "duplicate-listener": row("Two listeners have this name.", "Give each its own: logs and metrics carry it."),
  "duplicate-dataset": row("Two field maps are for one dataset.", "Merge them: one dataset has one map."),
  "duplicate-kek": row("This KEK wraps every data key already.", "Name each KEK once: in keys.kek or in keys.wraps."),
  "listen-collision": row("Two listeners have this address.", "Give each its own."),
  "upstream-loop": row("The upstream is a listener of this sidecar.", "Point it at the app or the store."),

  // What contradicts
  "unused-field-map": row(
    "No listener uses this field map, so it seals nothing.",
    "Name its dataset in a listener's fieldMaps.",
  ),
  "unmatched-without-maps": row(
    "Without field maps nothing is matched, so nothing can be unmatched.",
    "Remove unmatched, or add fieldMaps.",
  ),
  "keyring-unused": row(
    "No form that is sealed or opened uses the keyring.",
    "Remove it, or add keyring to keys.accept.",
  ),
  "inline-deterministic": row(
    "Deterministic fields need one key for all sidecars, which only a keyring has.",
    "Set keys.form to keyring, or make the fields of the map randomized.",
  ),
  "accept-without-form": row(
    "What is sealed in the configured form could not be opened.",
    "Add that form to keys.accept.",
  ),
  "headers-unused": row("An outbound listener answers the app, not browsers.", "Remove headers, or set it inbound."),
  "upstream-tls-unused": row("This setting is for https upstreams.", "Use https, or remove the setting."),
  "crl-failure": row(
    "What happens when a revocation list fails must be said.",
    "Write crl and crlFailure: refuse, both or neither.",
  ),
  "limits-contradict": row("This limit is above the one that contains it.", "Lower it, or raise the other."),
  "timeouts-contradict": row("This timeout is longer than timeouts.total.", "Lower it, or raise total."),
} as const satisfies Readonly<Record<string, SidecarRuleRow>>;

export type SidecarRule = keyof typeof sidecarRules;
