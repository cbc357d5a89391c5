import { formatDuration } from "../../../base/units.ts";
import { SealwrightError } from "../../../base/sealwright-error.ts";
import { listKeys } from "../../../keys/life-cycle/keyring-life-cycle.ts";
import { loadSidecar } from "../../config/load-sidecar.ts";
import type { CommandCall, CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { estimateKeyCost } from "../key-cost.ts";
import { withKeyringOffice } from "../keyring-office.ts";
import { memberLines } from "../member-lines.ts";
import { wholeNumber } from "../option-values.ts";
import { usageProblem } from "../usage-problem.ts";

/** Keys that a sidecar may have in memory: given, or all of the keyring that open. */
async function keysInUse({ option, required }: CommandCall, hasKeyring: boolean): Promise<number> {
  const given = option("keys");
  if (given !== undefined) return wholeNumber("keys", given);
  if (!hasKeyring)
    throw usageProblem("--keys is needed where there is no keyring to count: data keys in use per sidecar");
  const { entries } = await withKeyringOffice(required("config"), listKeys);
  return entries.filter(({ state }) => state !== "retired").length;
}

function pricePer10000(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,6}(\.[0-9]{1,6})?$/.test(text)) throw usageProblem("--price takes an amount such as 0.03");
  return Number(text);
}

export const keysCostCommand: CommandShape = {
  name: "cost",
  summary: "estimate the calls to the key service that a configuration makes",
  example: "sealwright keys cost -c sidecar.yaml --sidecars 50 --price 0.03",
  details:
    "From the settings alone: keys in use are checked once per cache.age, a little ahead of its end; inline, each tenant and\n" +
    "dataset gets a new key per sealing.age. Requests and values cost nothing. What was really called is in the metric\n" +
    "sealwright_kms_calls_total.",
  options: [
    configOption,
    { flags: "--sidecars <count>", help: "sidecars that run at once; default 1" },
    { flags: "--keys <count>", help: "data keys in use per sidecar; default all of the keyring that open" },
    { flags: "--scopes <count>", help: "inline: tenants times datasets that each sidecar seals for; default 1" },
    { flags: "--price <amount>", help: "price of 10,000 calls, from your provider's price list" },
  ],
  act: async (call) => {
    const { terminal, json, option, required } = call;
    const { keys } = loadSidecar(required("config"), { files: "noted" }).config;
    if (keys === undefined)
      throw new SealwrightError("config_invalid", { file: required("config"), reason: "no keys" });
    const price = pricePer10000(option("price"));
    const question = {
      sidecars: wholeNumber("sidecars", option("sidecars") ?? "1"),
      keysInUse: await keysInUse(call, keys.keyring !== undefined),
      sealingScopes: wholeNumber("scopes", option("scopes") ?? "1"),
    };
    const estimate = estimateKeyCost(keys, question);
    const cost = price === undefined ? undefined : (estimate.callsPerMonth / 10_000) * price;
    if (json) {
      terminal.result(
        JSON.stringify({ ok: true, ...question, ...estimate, ...(cost === undefined ? {} : { costPerMonth: cost }) }),
      );
      return exitCode.done;
    }
    const rounded = (calls: number): string => Math.ceil(calls).toLocaleString("en-US");
    const lines = memberLines({
      sidecars: question.sidecars,
      "keys in use": `${question.keysInUse} per sidecar, checked every ${formatDuration(keys.cache.age)}`,
      "cold start": `${rounded(estimate.coldStartCalls)} calls`,
      "per hour": `${rounded(estimate.callsPerHour)} calls`,
      "per month": `${rounded(estimate.callsPerMonth)} calls${cost === undefined ? "" : `, ${cost.toFixed(2)} at ${String(price)} per 10,000`}`,
    });
    for (const line of lines) terminal.result(line);
    return exitCode.done;
  },
};
