import type { CommandCall, CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { checkRecordChoice, fieldOptions, fieldPlace, sealFieldValue } from "../field-value.ts";
import { jsonValueText, textAsJson } from "../json-value.ts";
import { exchangeOptions, rewriteBody, sampleExchange } from "../sample-exchange.ts";
import { isStreamCall, streamOptions } from "../stream-options.ts";
import { streamStored } from "../stored-stream.ts";
import { refuseForStream, refuseUnusedOptions } from "../unused-options.ts";
import { withKeys } from "../with-keys.ts";

async function sealDocument(call: CommandCall, input: Buffer): Promise<void> {
  const sealed = await withKeys(call.required("config"), ({ config }, keys) => {
    const { engine, exchange } = sampleExchange(config, keys, call);
    return rewriteBody(engine.sealRequest(exchange), input);
  });
  if (call.json) call.terminal.result(JSON.stringify({ ok: true, body: sealed.toString("utf8") }));
  else call.terminal.resultBytes(sealed);
}

async function sealValue(call: CommandCall, input: Buffer): Promise<void> {
  const sealed = await withKeys(call.required("config"), (loaded, keys) => {
    const place = fieldPlace(loaded, call);
    checkRecordChoice(place, call.flag("unbound"));
    return sealFieldValue(keys, place, call.flag("text") ? textAsJson(input) : jsonValueText(input));
  });
  call.terminal.result(call.json ? JSON.stringify({ ok: true, value: sealed }) : sealed);
}

export const sealCommand: CommandShape = {
  name: "seal",
  summary: "seal one value, a document as a request would be sealed, or a dump",
  example:
    "echo 078-05-1120 | sealwright seal -c sidecar.yaml --dataset patients --tenant acme --field ssn --record 7 --text",
  details:
    "The input comes from a file or stdin, never from an argument, which other processes could read. It is one JSON value;\n" +
    'with --text it is plain text, sealed as a JSON string. With --route "PUT /v1/patients/7" it is a request body.\n' +
    "With --ndjson or --documents it is a dump of any size, sealed as requests would be; --resume goes on after an interruption.",
  parameters: [
    { name: "[in]", help: "input; default stdin" },
    { name: "[out]", help: "output of stored documents, which must not exist; default stdout" },
  ],
  options: [
    configOption,
    ...fieldOptions,
    { flags: "--unbound", help: "bind the value to no record: it can then be moved between records" },
    { flags: "--text", help: "the input is plain text, not JSON" },
    ...exchangeOptions,
    ...streamOptions,
  ],
  act: async (call) => {
    if (isStreamCall(call)) {
      refuseForStream(call);
      return streamStored(call, "seal", "refuse");
    }
    refuseUnusedOptions(call);
    const input = await call.terminal.input(call.argument(0) ?? "-");
    await (call.option("route") === undefined ? sealValue(call, input) : sealDocument(call, input));
    return exitCode.done;
  },
};
