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
  observe(name: MetricName, value: number, labels?: MetricLabels): void;
}

const nothing = (): void => undefined;

export const noMetrics: Metrics = Object.freeze({ count: nothing, gauge: nothing, observe: nothing });
