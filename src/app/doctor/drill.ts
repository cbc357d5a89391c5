import { z } from "zod";
import { SealwrightError } from "../../base/sealwright-error.ts";
import type { DrillReport } from "../../keys/usage/key-drill.ts";
import { askAdmin } from "../ask-admin.ts";
import type { SidecarConfig } from "../config/sidecar-config.ts";

/** What tells a drill's report from what another service answers there. */
const reportShape = z.object({
  outage: z.boolean(),
  secondsToDark: z.object({}),
  cold: z.object({ seal: z.number(), open: z.number() }),
  keys: z.array(z.object({ key: z.string(), inMemory: z.boolean() })),
  more: z.number(),
});

/**
 * What a running sidecar says would happen without its key service; the key service is not touched.
 * Throws `admin_refused` when none runs at the file's admin address, or it has no keys.
 */
export async function drillKms({ admin }: SidecarConfig): Promise<DrillReport> {
  const { status, body } = await askAdmin(admin, { method: "GET", path: "/keys/drill" });
  if (status !== 200) throw new SealwrightError("admin_refused", { reason: `status ${status}` });
  const answer = parsed(body);
  if (reportShape.safeParse(answer).success) return answer as DrillReport;
  throw new SealwrightError("admin_refused", { reason: "no report" });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The report for people. */
export function drillLines({ outage, secondsToDark, cold, keys, more }: DrillReport): readonly string[] {
  const inMemory = keys.length + more - cold.open;
  return [
    outage
      ? "An outage is under way: keys are used on the outage budget."
      : "If the key service were gone from now on:",
    `  writes fail ${whenWords(secondsToDark.seal)}; ${cold.seal} scopes could not write at all`,
    `  reads fail  ${whenWords(secondsToDark.open)}; ${cold.open} keys could not be read at all`,
    `  ${inMemory} keys in memory:`,
    ...keys
      .filter((key) => key.inMemory)
      .map(
        ({ key, form, state, seals, opens }) =>
          `    ${key.slice(0, 16)}  ${state ?? form}  ${seals === undefined ? "opens only" : `seals for ${lengthOf(seals)}`}, opens for ${lengthOf(opens)}`,
      ),
  ];
}

const whenWords = (seconds: number | undefined): string =>
  seconds === undefined ? "at once: no key is in memory" : `first in ${lengthOf(seconds)}`;

function lengthOf(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.floor(whole / 60)} min`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
