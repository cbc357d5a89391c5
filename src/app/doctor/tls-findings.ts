import { failedCheck, type Finding } from "../../base/finding.ts";
import type { ListenerConfig, SidecarConfig } from "../config/sidecar-config.ts";
import { readTlsSet, tlsFilesOf } from "../tls-files.ts";
import { isNearEnd, tlsLifetimes } from "../tls-lifetimes.ts";

/** The certificates of every listener: can they be used together, and for how long. `now`: milliseconds since 1970. */
export function tlsFindings({ listeners }: SidecarConfig, now: number): readonly Finding[] {
  return listeners.filter((listener) => tlsFilesOf(listener).length > 0).flatMap((listener) => findings(listener, now));
}

function findings(listener: ListenerConfig, now: number): readonly Finding[] {
  const check = `listener ${listener.name}: TLS files`;
  try {
    const lifetimes = tlsLifetimes(readTlsSet(listener).material);
    return [
      { check, status: "ok", detail: "certificates, keys and trust fit together" },
      ...lifetimes.map((lifetime): Finding => {
        const detail = `ends ${new Date(lifetime.notAfter).toISOString()}`;
        const of = `listener ${listener.name}: ${lifetime.role}`;
        if (!isNearEnd(lifetime, now)) return { check: of, status: "ok", detail };
        const fix = "Renew it; a running sidecar takes the new file without a restart.";
        return { check: of, status: "not ok", detail, fix };
      }),
    ];
  } catch (error) {
    return [failedCheck(check, error)];
  }
}
