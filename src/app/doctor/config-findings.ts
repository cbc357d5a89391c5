import { formatDuration } from "../../base/units.ts";
import type { Finding } from "../../base/finding.ts";
import { isDevelopmentKms } from "../../kms/provider.ts";
import type { KmsConfig } from "../../kms/kms-config.ts";
import type { SidecarConfig } from "../config/sidecar-config.ts";

/** What the sidecar file allows that a production system should not want, though it may. */
export function configFindings(config: SidecarConfig): readonly Finding[] {
  return [...[...config.kms].flatMap(([name, kms]) => kmsFindings(name, kms)), ...keysFindings(config)];
}

function kmsFindings(name: string, kms: KmsConfig): readonly Finding[] {
  return [
    isDevelopmentKms(kms)
      ? {
          check: `kms ${name}: provider`,
          status: "not ok",
          detail: `${kms.provider} keeps the KEK in a file: whoever reads the file reads everything`,
          fix: "Use a key service in production.",
        }
      : { check: `kms ${name}: provider`, status: "ok", detail: kms.provider },
    ...(kms.provider === "recovery" && kms.secretFile !== undefined
      ? [
          {
            check: `kms ${name}: recovery secret`,
            status: "not ok" as const,
            detail: "it is here, where everybody who breaks in finds it",
            fix: "Move the keys to another KEK (keys rewrap --to), remove secretFile and take the file back to the safe.",
          },
        ]
      : []),
    ...("minVersion" in kms && kms.minVersion === "TLSv1.2"
      ? [
          {
            check: `kms ${name}: TLS`,
            status: "not ok" as const,
            detail: "TLS 1.2 is allowed to this key service",
            fix: "Remove minVersion as soon as its endpoint speaks TLS 1.3.",
          },
        ]
      : []),
  ];
}

function keysFindings({ keys }: SidecarConfig): readonly Finding[] {
  if (keys === undefined) return [{ check: "keys", status: "unknown", detail: "the file configures none" }];
  const usesKeyring = keys.keyring !== undefined;
  return [
    ...(usesKeyring
      ? [
          keys.rootId === undefined
            ? {
                check: "keys: rootId",
                status: "not ok" as const,
                detail: "not pinned: another keyring with a root of its own could take this one's place",
                fix: "Write what keys init printed as keys.rootId.",
              }
            : { check: "keys: rootId", status: "ok" as const, detail: "pinned" },
          keys.wraps === undefined
            ? {
                check: "keys: wraps",
                status: "not ok" as const,
                detail: "every data key hangs on one KEK: losing it loses the data",
                fix: "Name a second KEK or an offline recovery key in keys.wraps, then run keys rewrap --to it.",
              }
            : { check: "keys: wraps", status: "ok" as const, detail: [keys.kek, ...keys.wraps].join(", ") },
        ]
      : []),
    {
      check: "keys: outage budget",
      status: keys.outageBudget === 0 ? "not ok" : "ok",
      detail: `warm keys serve for ${formatDuration(keys.cache.age)} without asking, and ${formatDuration(keys.outageBudget)} more while the key service is out of reach`,
      fix:
        keys.outageBudget === 0
          ? "Set keys.outageBudget, or accept that an outage of the key service stops reads and writes."
          : undefined,
    },
  ];
}
