/** Every metric: kind, help and the labels it takes. Label values come from config or closed sets, never from a request. */
export interface MetricRow {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
}

export const metricTable = {
  sealwright_requests_total: {
    kind: "counter",
    help: "Requests answered, by listener, route pattern and status class or refusal code.",
    labels: ["listener", "route", "outcome"],
  },
  sealwright_request_seconds: {
    kind: "histogram",
    help: "Time from request head to answer's end.",
    labels: ["listener"],
  },
  sealwright_requests_active: { kind: "gauge", help: "Requests under way.", labels: ["listener"] },
  sealwright_values_sealed_total: { kind: "counter", help: "Values sealed.", labels: ["dataset", "field"] },
  sealwright_values_opened_total: { kind: "counter", help: "Values opened.", labels: ["dataset", "field"] },
  sealwright_clear_values_passed_total: {
    kind: "counter",
    help: "Clear values that passed on answers because their field is in phase migrate.",
    labels: ["dataset", "field"],
  },
  sealwright_sealed_values_kept_total: {
    kind: "counter",
    help: "Values that could not be opened and stayed sealed (onOpenFailure: keepSealed).",
    labels: ["dataset", "field"],
  },
  sealwright_unbound_documents_total: {
    kind: "counter",
    help: "Documents sealed without a record (whenAbsent: unbound, record: none): their values can be moved.",
    labels: ["dataset"],
  },
  sealwright_open_failures_total: {
    kind: "counter",
    help: "Values that could not be opened.",
    labels: ["dataset", "field"],
  },
  sealwright_kms_calls_total: {
    kind: "counter",
    help: "Calls to the key service, by outcome (ok or error code).",
    labels: ["kek", "operation", "outcome"],
  },
  sealwright_kms_seconds: {
    kind: "histogram",
    help: "Duration of calls to the key service.",
    labels: ["kek", "operation"],
  },
  sealwright_kms_breaker_open: {
    kind: "gauge",
    help: "1 while the circuit breaker of a KEK is open.",
    labels: ["kek"],
  },
  sealwright_data_keys_unwrapped_total: {
    kind: "counter",
    help: "Data keys unwrapped or checked, by the KEK that served.",
    labels: ["kek"],
  },
  sealwright_data_key_unwraps_total: {
    kind: "counter",
    help: "Times the key service gave or confirmed a data key, by key (first 16 hex digits of a keyring's id, or other).",
    labels: ["key"],
  },
  sealwright_key_values_sealed_total: { kind: "counter", help: "Values sealed, by data key.", labels: ["key"] },
  sealwright_key_values_opened_total: { kind: "counter", help: "Values opened, by data key.", labels: ["key"] },
  sealwright_key_budget_refusals_total: {
    kind: "counter",
    help: "Uses of data keys refused because a budget is spent: failed_calls, keys_per_message, new_tenants.",
    labels: ["limit"],
  },
  sealwright_key_seconds_to_dark: {
    kind: "gauge",
    help: "Seconds until a data key in memory can seal or open no more if the key service is out of reach from now on; keys not in memory: 0.",
    labels: ["key", "operation"],
  },
  sealwright_seconds_to_dark: {
    kind: "gauge",
    help: "Seconds until the first write (seal) or read (open) with keys now in memory fails if the key service is out of reach from now on.",
    labels: ["operation"],
  },
  sealwright_keys_cold: {
    kind: "gauge",
    help: "Scopes that could not seal, and keys that could not open, were the key service out of reach now: not in memory.",
    labels: ["operation"],
  },
  sealwright_key_purges_total: {
    kind: "counter",
    help: "Times all data keys in memory were dropped on request.",
    labels: [],
  },
  sealwright_keyring_reload_failures_total: {
    kind: "counter",
    help: "Looks at the keyring that failed; the last good one stays in use.",
    labels: ["code"],
  },
  sealwright_keyring_age_of_last_look: {
    kind: "gauge",
    help: "Seconds since the keyring was last found readable and genuine.",
    labels: [],
  },
  sealwright_data_keys_cached: { kind: "gauge", help: "Unwrapped data keys in memory.", labels: [] },
  sealwright_data_key_overdue_total: {
    kind: "counter",
    help: "Keyring data keys used beyond sealing limits (a warning: rotate).",
    labels: ["limit"],
  },
  sealwright_keyring_generation: { kind: "gauge", help: "Generation of the keyring in use.", labels: [] },
  sealwright_tls_reloads_total: {
    kind: "counter",
    help: "Changed certificates, keys, authorities or revocation lists taken into use, or refused (outcome = error code).",
    labels: ["listener", "outcome"],
  },
  sealwright_certificate_end_timestamp: {
    kind: "gauge",
    help: "Unix time at which a certificate in use, or its revocation list, ends. Role: server, client, clients-ca, upstream-ca, clients-crl, upstream-crl.",
    labels: ["listener", "role"],
  },
  sealwright_log_fields_dropped_total: { kind: "counter", help: "Log members outside the allow-list.", labels: [] },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof metricTable;
export type MetricLabels = Readonly<Record<string, string>>;

/** Port: where measurements go. Durations in seconds. Unknown labels are a defect and throw in tests. */
export interface Metrics {
  count(name: MetricName, labels?: MetricLabels, by?: number): void;
  gauge(name: MetricName, value: number, labels?: MetricLabels): void;
  /** Forgets a gauge's values for all labels, so that what is gone is told no more. */
  clearGauge(name: MetricName): void;
  observe(name: MetricName, value: number, labels?: MetricLabels): void;
}

const nothing = (): void => undefined;

export const noMetrics: Metrics = Object.freeze({
  count: nothing,
  gauge: nothing,
  clearGauge: nothing,
  observe: nothing,
});
