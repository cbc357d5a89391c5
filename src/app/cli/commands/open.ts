import { SealwrightError } from "../../../base/sealwright-error.ts";
import type { CommandCall, CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { fieldOptions, fieldPlace, openFieldValue } from "../field-value.ts";
import { exchangeOptions, rewriteBody, sampleExchange } from "../sample-exchange.ts";
import { isStreamCall, openingOptions, streamOptions } from "../stream-options.ts";
import { streamStored } from "../stored-stream.ts";
import { refuseForStream, refuseUnusedOptions } from "../unused-options.ts";
import { withKeys } from "../with-keys.ts";

async function openDocument(call: CommandCall, input: Buffer): Promise<void> {
  const opened = await withKeys(call.required("config"), ({ config }, keys) => {
    const { engine, exchange } = sampleExchange(config, keys, call);
    if (exchange.route.open === undefined)
      throw new SealwrightError("usage", { reason: "the route opens no answers", route: exchange.route.label });
    return rewriteBody(engine.openResponse(exchange), input);
  });
  if (call.json) call.terminal.result(JSON.stringify({ ok: true, body: opened.toString("utf8") }));
  else call.terminal.resultBytes(opened);
}

async function openValue(call: CommandCall, input: Buffer): Promise<void> {
  const text = await withKeys(call.required("config"), async (loaded, keys) => {
    const opened = await openFieldValue(keys, fieldPlace(loaded, call), input.toString("utf8"));
    return opened.toString("utf8");
  });
  const value: unknown = JSON.parse(text);
  if (call.json) call.terminal.result(`{"ok":true,"value":${text}}`);
  else call.terminal.result(call.flag("text") && typeof value === "string" ? value : text);
}

export const openCommand: CommandShape = {
  name: "open",
  summary: "open one sealed value, a document as an answer would be opened, or a dump",
  example:
    "echo 078-05-1120 | sealwright seal -c sidecar.yaml --dataset patients --tenant acme --field ssn --record 7 --text | " +
    "sealwright open -c sidecar.yaml --dataset patients --tenant acme --field ssn --record 7",
  details:
    "The input comes from a file or stdin. The value is printed as the JSON text that was sealed; with --text a string is\n" +
    'printed without quotes and escapes. With --route "GET /v1/patients/7" the input is an answer\'s body.\n' +
    "With --ndjson or --documents it is a dump of any size: every mapped value is opened, all other bytes stay.",
  parameters: [
    { name: "[in]", help: "input; default stdin" },
    { name: "[out]", help: "output of stored documents, which must not exist; default stdout" },
  ],
  options: [
    configOption,
    ...fieldOptions,
    { flags: "--text", help: "print a string as plain text" },
    ...exchangeOptions,
    ...streamOptions,
    ...openingOptions,
    { flags: "--pass-clear", help: "values of mapped fields that are not sealed pass; by default they are refused" },
  ],
  act: async (call) => {
    if (isStreamCall(call)) {
      refuseForStream(call);
      return streamStored(call, "open", call.flag("pass-clear") ? "pass" : "refuse");
    }
    refuseUnusedOptions(call);
    const input = await call.terminal.input(call.argument(0) ?? "-");
    await (call.option("route") === undefined ? openValue(call, input) : openDocument(call, input));
    return exitCode.done;
  },
};
