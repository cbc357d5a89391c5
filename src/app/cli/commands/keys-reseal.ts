import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { openingOptions, streamOptions } from "../stream-options.ts";
import { streamStored } from "../stored-stream.ts";

export const keysResealCommand: CommandShape = {
  name: "reseal",
  summary: "seal the values of stored documents anew under the newest key; all other bytes stay",
  example:
    "sealwright keys reseal -c sidecar.yaml --dataset patients --tenant acme --ndjson dump.ndjson resealed.ndjson",
  details:
    "Input and output are files, or stdin and stdout. Values under the newest key stay as they are, clear values too; the others\n" +
    "stay bound to what they were bound to. Nothing gets the output's name before all is done; --resume goes on from the last\n" +
    "document that an interrupted run wrote. Load the result into the store as it takes dumps, then keys inventory.",
  parameters: [
    { name: "[in]", help: "input; default stdin" },
    { name: "[out]", help: "output, which must not exist; default stdout" },
  ],
  options: [
    configOption,
    { flags: "--dataset <dataset>", help: "dataset of the documents", required: true },
    { flags: "--tenant <tenant>", help: "tenant of the documents" },
    ...streamOptions,
    ...openingOptions,
  ],
  act: (call) => streamStored(call, "reseal", "pass"),
};
