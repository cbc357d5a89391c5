import { systemClock } from "../../../base/clock.ts";
import { SealwrightError } from "../../../base/sealwright-error.ts";
import { entryNamed } from "../../../keys/keyring/entry-named.ts";
import type { KeyringEntry } from "../../../keys/keyring/keyring-file.ts";
import { listKeys } from "../../../keys/life-cycle/keyring-life-cycle.ts";
import type { KeyringOffice } from "../../../keys/keyring/keyring-office.ts";
import { defaultRotation, type KeysConfig, type RotationTimes } from "../../../keys/keys-config.ts";
import { assertRetirable, retireKey } from "../../../keys/life-cycle/retire-key.ts";
import { retireVerdict, type RetireVerdict } from "../../../keys/life-cycle/retire-verdict.ts";
import type { CommandCall, CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { entryLines, entryMembers } from "../keyring-entries.ts";
import { withKeyringOffice } from "../keyring-office.ts";
import { sightingOptions, sightingsOf } from "../sighting-options.ts";
import { usageProblem } from "../usage-problem.ts";

/** A pending key has never sealed, so that nothing can be sealed under it. */
const neverSealed: RetireVerdict = Object.freeze({ eligible: true, reasons: ["it is pending: it has never sealed"] });

interface Retirement {
  readonly key: KeyringEntry;
  readonly verdict: RetireVerdict;
}

async function verdictOn(
  call: CommandCall,
  entry: KeyringEntry,
  { decryptOnly }: RotationTimes,
): Promise<RetireVerdict> {
  if (entry.state === "pending") return neverSealed;
  const sightings = await sightingsOf(call);
  return retireVerdict({
    entry,
    sightings: sightings.of(entry.id),
    coverage: sightings.coverage,
    now: systemClock.wallMs(),
    decryptOnlyMs: decryptOnly,
  });
}

/** Throws `key_in_use` with the reasons, unless the whole id was typed out. */
async function retired(call: CommandCall, office: KeyringOffice, keys: KeysConfig): Promise<Retirement> {
  const { terminal, json, option, argument } = call;
  const entry = entryNamed(await listKeys(office), argument(0) ?? "");
  assertRetirable(entry);
  const forced = option("force");
  if (forced !== undefined && forced !== entry.id) throw usageProblem("--force takes all 64 digits of this key's id");
  const verdict = await verdictOn(call, entry, keys.rotation ?? defaultRotation);
  if (verdict.eligible || forced !== undefined) return { key: await retireKey(office, entry), verdict };
  if (!json) for (const reason of verdict.reasons) terminal.progress(`not retired: ${reason}`);
  throw new SealwrightError("key_in_use", { reason: verdict.reasons.join("; "), keyId: entry.id.slice(0, 16) });
}

export const keysRetireCommand: CommandShape = {
  name: "retire",
  summary: "end a key that seals no more: what is still sealed under it opens no longer",
  example: "sealwright keys retire -c sidecar.yaml $(sealwright keys list -c sidecar.yaml --state pending --ids)",
  details:
    "Granted where the key has been decrypt-only for keys.rotation.decryptOnly, and neither usage reports nor a scan of the data\n" +
    "know of a value under it; a pending key goes at once. The key's wraps stay in the keyring, so that a copy of the data can\n" +
    "still be opened by restoring an older keyring; keys destroy removes them for ever.",
  parameters: [{ name: "<id>", help: "the key's id, or its first 8 digits or more" }],
  options: [
    configOption,
    ...sightingOptions,
    { flags: "--force <id>", help: "retire it whatever is known: the whole id typed out" },
  ],
  act: async (call) => {
    const { terminal, json, required } = call;
    const { key, verdict } = await withKeyringOffice(required("config"), (office, keys) => retired(call, office, keys));
    if (json) terminal.result(JSON.stringify({ ok: true, key: entryMembers(key), verdict }));
    else {
      for (const line of entryLines([key])) terminal.result(line);
      for (const reason of verdict.reasons) terminal.progress(verdict.eligible ? reason : `forced, although ${reason}`);
    }
    return exitCode.done;
  },
};
