import { parseSealedValue } from "../../../crypto/sealed-value.ts";
import { suiteTable } from "../../../crypto/suites.ts";
import type { SealedValue } from "../../../crypto/types.ts";
import type { CommandShape } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { memberLines } from "../member-lines.ts";

/** What a sealed value says of itself. None of it is authenticated until the value is opened. */
function headerOf(value: SealedValue): Readonly<Record<string, string | number | boolean>> {
  const { key } = value;
  return {
    version: 1,
    suite: value.suite,
    algorithm: value.suite === 1 ? "XAES-256-GCM, randomized" : "AES-256-SIV, deterministic",
    recordBound: value.recordBound,
    plaintext: value.rawBytes ? "raw bytes" : "JSON text",
    form: key.form,
    ...(key.form === "keyring"
      ? { keyId: key.shortId.toString("hex") }
      : { keyId: key.id.toString("hex"), kek: key.kek, wrappedKeyBytes: key.wrapped.length }),
    plaintextBytes: value.body.length - suiteTable[value.suite].overhead,
  };
}

export const inspectCommand: CommandShape = {
  name: "inspect",
  summary: "show the header of a sealed value; needs no key",
  example:
    "sealwright inspect swr1.AQC3YtVCfhQ4xBx2LqgqkpdHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  details: "The value comes as an argument, or from stdin: sealed values are no secret.",
  parameters: [{ name: "[value]", help: "swr1.…, with or without JSON quotes; default stdin" }],
  act: async ({ terminal, json, argument }) => {
    const text = (argument(0) ?? (await terminal.input("-")).toString("utf8")).trim();
    const value = parseSealedValue(text.replace(/^"(.*)"$/, "$1"));
    if (value === undefined) {
      if (json) terminal.result(JSON.stringify({ ok: false, reason: "not a sealed value" }));
      else terminal.progress(`${terminal.paint.bad("not a sealed value")}: to Sealwright this is just text`);
      return exitCode.problem;
    }
    const header = headerOf(value);
    if (json) terminal.result(JSON.stringify({ ok: true, ...header }));
    else for (const line of memberLines(header)) terminal.result(line);
    return exitCode.done;
  },
};
