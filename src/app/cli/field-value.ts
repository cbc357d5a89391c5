import { hasCode, SealwrightError } from "../../base/sealwright-error.ts";
import { decodeJsonString } from "../../codec/decode-string.ts";
import { parseSealedValue } from "../../crypto/sealed-value.ts";
import type { LoadedFieldMap } from "../../fieldmap/loaded-map.ts";
import type { Dataset, Field } from "../../fieldmap/types.ts";
import type { Keys, OpeningKey } from "../../keys/keys.ts";
import type { LoadedSidecar } from "../config/load-sidecar.ts";
import type { CommandCall, CommandOption } from "./command.ts";
import { tenantName } from "./option-values.ts";
import { usageProblem } from "./usage-problem.ts";

const quote = 0x22;

/** Options that name the place of one value. */
export const fieldOptions: readonly CommandOption[] = [
  { flags: "--dataset <dataset>", help: "dataset of one value" },
  { flags: "--field <field>", help: "field of one value: its name, or its path as in the field map" },
  { flags: "--record <record>", help: "record that the value is bound to" },
];

/** Where one value belongs. */
export interface FieldPlace {
  readonly dataset: Dataset;
  readonly field: Field;
  readonly tenant: string;
  readonly record: string | undefined;
}

/** The place that `--dataset`, `--field`, `--tenant` and `--record` name. Throws `usage`. */
export function fieldPlace({ maps }: LoadedSidecar, call: CommandCall): FieldPlace {
  const fieldName = call.option("field");
  const { dataset } = mapNamed(maps, call);
  const field = dataset.fields.find(({ name, path }) => name === fieldName || path === fieldName);
  if (field === undefined)
    throw usageProblem(`--field takes one of ${dataset.fields.map(({ name }) => name).join(", ")}`);
  return { dataset, field, tenant: tenantOf(dataset, call), record: call.option("record") };
}

/** The map of the dataset that `--dataset` names. Throws `usage`. */
export function mapNamed(maps: readonly LoadedFieldMap[], call: CommandCall): LoadedFieldMap {
  const name = call.option("dataset");
  const map = maps.find(({ dataset }) => dataset.name === name);
  if (map !== undefined) return map;
  const known = maps.map(({ dataset }) => dataset.name).join(", ");
  throw usageProblem(`--dataset takes one of ${known}; or give --route for a whole document`);
}

/** The tenant that `--tenant` names, or the only one there is. Throws `usage`. */
export function tenantOf({ tenant: source }: Dataset, call: CommandCall): string {
  const given = call.option("tenant");
  if (given !== undefined) tenantName(given);
  const tenant = source.kind === "constant" ? source.tenant : given;
  if (tenant !== undefined && (given === undefined || given === tenant)) return tenant;
  throw usageProblem(source.kind === "constant" ? `--tenant is always ${source.tenant}` : "--tenant is needed");
}

/**
 * A value without a record can be moved to another one, so it has to be said. Throws `usage`.
 */
export function checkRecordChoice({ field, record }: FieldPlace, unbound: boolean): void {
  if (field.mode === "deterministic") {
    if (record !== undefined) throw usageProblem("--record: deterministic fields are never bound to one");
  } else if ((record === undefined) !== unbound) throw usageProblem("one of --record and --unbound is needed");
}

/** The JSON value `text` sealed as the field's rules say. Throws `already_sealed`, and what keys and suites throw. */
export async function sealFieldValue(keys: Keys, place: FieldPlace, text: Buffer): Promise<string> {
  const { dataset, field, tenant, record } = place;
  // As on a route: what is sealed twice would come back sealed.
  if (text[0] === quote && parseSealedValue(decodeJsonString(text)) !== undefined)
    throw new SealwrightError("already_sealed", { dataset: dataset.name, field: field.name });
  const deterministic = field.mode === "deterministic";
  const key = await keys.sealer({ tenant, dataset: dataset.name }, field.mode);
  try {
    return key.seal({
      suite: deterministic ? 2 : 1,
      plaintext: text,
      rawBytes: false,
      binding: { tenant, dataset: dataset.name, field: field.name, record },
      ...(field.pad === undefined ? {} : { pad: field.pad }),
    });
  } finally {
    key.release();
  }
}

/** The JSON text that `sealed` holds, under the field's present or former names. Throws `usage`, `open_failed`, `kms_*`. */
export async function openFieldValue(keys: Keys, place: FieldPlace, sealed: string): Promise<Buffer> {
  const value = parseSealedValue(sealed.trim().replace(/^"(.*)"$/, "$1"));
  if (value === undefined) throw usageProblem("the input is not a sealed value");
  const { tenant, record } = place;
  const names = [place.field.name, ...place.field.formerly];
  let failure = new SealwrightError("open_failed");
  for (const dataset of [place.dataset.name, ...place.dataset.formerly]) {
    const key = await borrowed(async () => keys.opener(value.key, { tenant, dataset }));
    if (key instanceof SealwrightError) {
      failure = key;
      continue;
    }
    try {
      for (const field of names) {
        const opened = attempt(() => key.open(value, { tenant, dataset, field, record }));
        if (!(opened instanceof SealwrightError)) return opened;
        failure = opened;
      }
    } finally {
      key.release();
    }
  }
  throw failure;
}

/** The key, or why this name of the dataset has none that opens; another failure than `open_failed` is thrown on. */
async function borrowed(borrow: () => Promise<OpeningKey>): Promise<OpeningKey | SealwrightError> {
  try {
    return await borrow();
  } catch (error) {
    if (hasCode(error, "open_failed")) return error;
    throw error;
  }
}

/** What `open` gives, or why it fails; another failure than `open_failed` is thrown on. */
function attempt(open: () => Buffer): Buffer | SealwrightError {
  try {
    return open();
  } catch (error) {
    if (hasCode(error, "open_failed")) return error;
    throw error;
  }
}
