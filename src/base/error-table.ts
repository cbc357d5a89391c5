/**
 * Every way Sealwright can fail, one row each. Nothing else decides a status, a retry or a text.
 *
 * `status`: HTTP status when the request caused it; a 4xx row that happens while answering (the store sent it) becomes 502.
 * `retryable`: the same request may succeed later without anybody changing anything.
 * `text`: safe to show to anybody; never holds data. `advice`: what the reader does next.
 * Codes are public and permanent: rename = new row.
 */
export interface ErrorRow {
  readonly status: number;
  readonly retryable: boolean;
  readonly text: string;
  readonly advice: string;
}

const row = (status: number, retryable: boolean, text: string, advice: string): ErrorRow =>
  Object.freeze({ status, retryable, text, advice });

export const errorTable = {
  // JSON on the wire (codec)
  json_invalid: row(
    400,
    false,
    "The body is not valid JSON.",
    "Send one RFC 8259 document in UTF-8 without a byte order mark.",
  ),
  json_encoding: row(400, false, "The body is not valid UTF-8.", "Send the body in UTF-8."),
  json_too_deep: row(400, false, "The body is nested too deeply.", "Flatten the document or raise limits.depth."),
  duplicate_key: row(400, false, "An object in the body names a key twice.", "Send every key of an object once."),
  lone_surrogate: row(400, false, "A value to seal holds a lone surrogate escape.", "Send text that UTF-8 can hold."),
  too_many_keys: row(
    413,
    false,
    "The body holds too many keys.",
    "Split the body or raise limits.keysPerObject or limits.keysPerBody.",
  ),
  too_many_values: row(
    413,
    false,
    "The body holds too many values to seal or open.",
    "Split the body or raise limits.valuesPerBody.",
  ),
  name_too_long: row(413, false, "A key in the body is too long.", "Shorten the key or raise limits.nameBytes."),
  value_too_large: row(
    413,
    false,
    "A value in the body is too large.",
    "Split the value or raise limits.valueBytes or limits.stringBytes.",
  ),

  // Field map against a body (engine)
  document_shape: row(
    422,
    false,
    "The body does not have the shape its route promises.",
    "Compare the body with the route's seal selectors.",
  ),
  field_shape: row(
    422,
    false,
    "A container on a mapped path has the wrong type.",
    "Compare the body with the field map's paths.",
  ),
  field_missing: row(422, false, "A required field is missing.", "Send the field or set optional: true for it."),
  field_type: row(422, false, "A deterministic field is not a string.", "Send a string or make the field randomized."),
  merge_patch_object: row(
    422,
    false,
    "A merge patch replaces part of a sealed field.",
    "Send the whole value of the field.",
  ),
  mapped_name: row(
    422,
    false,
    "The body names a mapped field where nothing is sealed.",
    "Remove the field from the request.",
  ),
  mapped_query: row(
    400,
    false,
    "The query names a mapped field, whose value would leave in clear.",
    "Ask by another field or in a body, or write query: pass for the route.",
  ),
  name_case: row(
    422,
    false,
    "A key differs from a mapped name only by case.",
    "Spell the key as the field map does or set names: ignoreCase.",
  ),
  already_sealed: row(
    422,
    false,
    "A value is a sealed value already.",
    "Send the clear value, or set sealedInput: reopen where a record is bound.",
  ),
  record_missing: row(
    422,
    false,
    "The document's record id is missing.",
    "Send the id in a place that the map's record names.",
  ),
  record_conflict: row(
    422,
    false,
    "Two sources of the document's record id differ.",
    "Send the same id in the path and in the body.",
  ),
  record_invalid: row(
    422,
    false,
    "The document's record id has no usable form.",
    "Send a string, or an integer without sign tricks, fraction or exponent.",
  ),
  record_too_late: row(
    413,
    false,
    "The document's record id comes too late.",
    "Put the id before the mapped fields or nearer to them.",
  ),
  tenant_refused: row(
    400,
    false,
    "The tenant is absent, repeated or malformed.",
    "Name one tenant of 1-128 characters A-Z a-z 0-9 . _ -",
  ),
  tenant_limit: row(429, true, "Too many new tenants at once.", "Retry later or raise limits.newTenantsPerMinute."),
  open_failed: row(502, false, "A value could not be opened.", "Ask the operator to look up this request's log line."),

  // Routes, media types and framing (proxy)
  path_refused: row(
    400,
    false,
    "The request path has a spelling that is refused.",
    "Send the plain, shortest spelling of the path.",
  ),
  no_route: row(404, false, "No route of the field map matches.", "Add a route to the field map."),
  method_not_allowed: row(
    405,
    false,
    "No route of this path allows the method.",
    "Add the method to the route or use another.",
  ),
  no_request_rule: row(
    415,
    false,
    "The route has no rule for a request body.",
    "Add request or passthrough to the route.",
  ),
  media_type: row(415, false, "The body's media type cannot be read here.", "Send JSON in UTF-8 with its media type."),
  content_encoding: row(
    415,
    false,
    "The body's content encoding cannot be read here.",
    "Send identity, gzip, deflate, br or zstd, one of them.",
  ),
  body_too_large: row(413, false, "The body is too large.", "Send less or raise limits.bodyBytes."),
  header_refused: row(
    400,
    false,
    "A header is repeated, malformed or not allowed.",
    "Send each framing and content header once.",
  ),
  headers_too_large: row(431, false, "The request headers are too large.", "Send fewer or shorter headers."),
  http_invalid: row(400, false, "The request is not valid HTTP/1.1.", "Send one unambiguous HTTP/1.1 request."),
  upgrade_refused: row(400, false, "Protocol upgrades are refused here.", "Send a plain request."),
  client_refused: row(403, false, "The client's certificate is not allowed here.", "Add its name to clients.allow."),
  request_timeout: row(408, true, "The request did not arrive in time.", "Send it faster or raise timeouts.body."),
  deadline_exceeded: row(504, true, "The request took too long.", "Retry, or raise timeouts.total."),
  overloaded: row(503, true, "Too many requests at once.", "Retry after the time given."),
  draining: row(503, true, "The sidecar is stopping.", "Retry on another connection."),
  client_gone: row(499, false, "The client went away.", "Nothing to do."),
  upstream_unreachable: row(
    502,
    true,
    "The upstream cannot be reached.",
    "Check the upstream's address and certificates.",
  ),
  upstream_timeout: row(504, true, "The upstream did not answer in time.", "Retry, or raise timeouts.upstream."),
  upstream_invalid: row(502, false, "The upstream broke HTTP or closed early.", "Check the upstream."),
  upstream_identity: row(
    502,
    false,
    "The upstream's certificate is not the expected one.",
    "Check upstream.trust, allow and pins.",
  ),
  upstream_pin: row(
    502,
    false,
    "The upstream shows a key that is not pinned.",
    "Find out why it changed; if rightly, pin the key that the log names with sealwright trust pin.",
  ),
  response_unreadable: row(
    502,
    false,
    "The upstream's answer cannot be read on this route.",
    "Answer JSON in UTF-8 or make the route passthrough.",
  ),
  internal: row(500, false, "Something went wrong inside.", "Report the log line of this request."),

  // Keys and KMS
  no_key: row(
    503,
    false,
    "No active key covers this tenant and dataset.",
    "Run keys add and keys activate for the scope.",
  ),
  kms_unavailable: row(503, true, "The key service cannot be reached.", "Retry after the time given."),
  kms_denied: row(
    503,
    false,
    "The key service refuses this sidecar.",
    "Check the key's state and the sidecar's permissions.",
  ),
  kms_not_mine: row(502, false, "The key service cannot unwrap this key.", "Check the KEK and the key's context."),
  kms_broken: row(
    502,
    false,
    "The key service answered what it must not.",
    "Check the key service's address and version.",
  ),
  kms_limited: row(503, true, "Too many key service calls failed lately.", "Retry later."),
  kms_module: row(
    500,
    false,
    "The HSM's library cannot be loaded.",
    "Install the optional package pkcs11js, and check kms.*.module.",
  ),
  key_file: row(500, false, "A key file cannot be used.", "Check its path, form and mode (0600)."),
  keyring_invalid: row(
    500,
    false,
    "The keyring file is malformed.",
    "Restore it from a backup; never edit it by hand.",
  ),
  keyring_forged: row(
    500,
    false,
    "The keyring's authentication code is wrong.",
    "Restore it from a backup and find out who changed it.",
  ),
  keyring_stale: row(500, false, "The keyring is older than one already seen.", "Put the newest generation in place."),
  keyring_busy: row(500, true, "Somebody else is changing the keyring.", "Retry when the other command has ended."),
  store_unavailable: row(503, true, "The keyring's store cannot be reached.", "Retry; check the cluster's API."),
  store_full: row(
    500,
    false,
    "The keyring is larger than its store holds.",
    "Keep it in a file or a folder of shards: keys backup, then keys restore there.",
  ),
  key_state: row(500, false, "The key's state does not allow this.", "Look at keys list."),
  key_in_use: row(
    500,
    false,
    "The key is, or may be, still in use.",
    "Read the reasons; seal what it sealed anew (keys reseal), or wait.",
  ),
  backup_invalid: row(
    500,
    false,
    "This is no keyring backup, or a damaged one.",
    "Name a whole file that keys backup wrote, as it was written.",
  ),
  receipt_invalid: row(500, false, "This is no erasure receipt.", "Name the file that keys destroy wrote."),
  key_ended: row(500, false, "A data key was used after its end.", "Report this: it is a defect."),
  usage_report_invalid: row(500, false, "A usage report is malformed.", "Leave it out; its sidecar begins a new one."),

  // Configuration and commands (app)
  config_invalid: row(500, false, "The configuration is not valid.", "Mend every line that check lists."),
  admin_refused: row(
    500,
    true,
    "The running sidecar did not do what it was asked.",
    "See that it runs with this file, and look at its log.",
  ),
  usage: row(500, false, "The command is called wrongly.", "Look at its --help."),
  file_unreadable: row(500, false, "A file cannot be read.", "Check its path and permissions."),
  resume_refused: row(
    500,
    false,
    "What is there is not the beginning of this run.",
    "Resume with the input and options of the interrupted run, or remove its .part file and begin anew.",
  ),
  file_exists: row(500, false, "A file exists already and is never overwritten.", "Move it away or name another."),
  environment_refused: row(
    500,
    false,
    "The process was started with settings that weaken it.",
    "Remove the variables and options that are named, and start it again.",
  ),
  node_version: row(500, false, "This Node.js is too old.", "Run npm ci, which brings its own, or install Node.js 26."),
  listen_failed: row(
    500,
    false,
    "A listener cannot be bound.",
    "Check the address and whether another process has it.",
  ),
  demo_failed: row(500, false, "The demo's own checks failed.", "Read the lines marked FAIL."),
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type ErrorCode = keyof typeof errorTable;
