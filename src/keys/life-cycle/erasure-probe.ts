import { asSealwrightError, SealwrightError } from "../../base/sealwright-error.ts";
import { DataKey } from "../../crypto/data-key.ts";
import { randomBytes } from "../../crypto/random.ts";
import { parseSealedValue } from "../../crypto/sealed-value.ts";
import type { Binding } from "../../crypto/types.ts";
import { dataContext } from "../../kms/context.ts";
import { openWrap } from "./open-wrap.ts";
import type { KeyringEntry } from "../keyring/keyring-file.ts";
import type { KmsByName } from "../unwrapper.ts";

const probeBytes = 32;

/** The probe is bound to no data: no field map can name this field. */
const binding: Binding = {
  tenant: "erasure",
  dataset: "erasure",
  field: "sealwright/v1 erasure probe",
  record: undefined,
};

/** Random bytes sealed under the key that `entry` wraps. Throws `kms_*`, `key_state` (nothing opens it here). */
export async function sealProbe(entry: KeyringEntry, kmsByName: KmsByName): Promise<string> {
  const dataKey = await unwrapped(entry, kmsByName);
  try {
    const sealing = { suite: 1, plaintext: randomBytes(probeBytes), rawBytes: true, binding } as const;
    return dataKey.seal(sealing, { form: "keyring", shortId: dataKey.shortId });
  } finally {
    dataKey.release();
  }
}

/** `opened`, or the code of what stands in the way. The state of the entry is not: a probe shows what is possible. */
export async function tryProbe(probe: string, entry: KeyringEntry, kmsByName: KmsByName): Promise<string> {
  try {
    const dataKey = await unwrapped(entry, kmsByName);
    try {
      const value = parseSealedValue(probe);
      if (value === undefined) throw new SealwrightError("receipt_invalid", { reason: "probe" });
      dataKey.open(value, binding);
      return "opened";
    } finally {
      dataKey.release();
    }
  } catch (error) {
    return asSealwrightError(error).code;
  }
}

async function unwrapped(entry: KeyringEntry, kmsByName: KmsByName): Promise<DataKey> {
  const holder = { id: entry.id, wraps: entry.wraps, context: dataContext(entry.scope) };
  return DataKey.fromBytes(await openWrap(holder, kmsByName));
}
