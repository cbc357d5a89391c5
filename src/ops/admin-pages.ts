import type { Health } from "./health.ts";
import type { Prometheus } from "./prometheus.ts";

export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface AdminRequest {
  readonly authorization: string | undefined;
}

/** A page that is read (`GET`, and so `HEAD`), or something that is done (`POST`). */
export interface AdminPage {
  readonly method: "GET" | "POST";
  readonly answer: (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;
}

/** Pages by exact path. */
export type AdminPages = ReadonlyMap<string, AdminPage>;

const text = (status: number, body: string): AdminAnswer => ({
  status,
  contentType: "text/plain; charset=utf-8",
  body,
});

/** 200 as long as the process answers at all. */
const livePage: AdminPage = { method: "GET", answer: () => text(200, "live\n") };

const metricsPage = (prometheus: Prometheus): AdminPage => ({
  method: "GET",
  answer: async () => ({ status: 200, contentType: prometheus.contentType, body: await prometheus.exposition() }),
});

/** The admin listener: everything, `/readyz` with its reasons. */
export function adminPages(health: Health, prometheus: Prometheus): AdminPages {
  const readyPage: AdminPage = {
    method: "GET",
    answer: () => {
      const readiness = health.readiness();
      const body = `${JSON.stringify(readiness)}\n`;
      return { status: readiness.ready ? 200 : 503, contentType: "application/json", body };
    },
  };
  return new Map([
    ["/livez", livePage],
    ["/readyz", readyPage],
    ["/metrics", metricsPage(prometheus)],
  ]);
}

/** The probes listener, which the kubelet reaches from outside the pod: status only, no reasons. */
export function probePages(health: Health): AdminPages {
  const readyPage: AdminPage = {
    method: "GET",
    answer: () => (health.readiness().ready ? text(200, "ready\n") : text(503, "not ready\n")),
  };
  return new Map([
    ["/livez", livePage],
    ["/readyz", readyPage],
  ]);
}

/** The metrics listener, for a scraper outside the pod. */
export function metricsPages(prometheus: Prometheus): AdminPages {
  return new Map([["/metrics", metricsPage(prometheus)]]);
}
