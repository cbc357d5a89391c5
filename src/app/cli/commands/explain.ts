import { loadSidecar } from "../../config/load-sidecar.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { explain, type Explanation } from "../explanation.ts";
import { columnLines, memberLines } from "../member-lines.ts";
import { exchangeOptions } from "../sample-exchange.ts";
import type { Paint } from "../terminal.ts";

function explanationLines(explained: Explanation, paint: Paint): readonly string[] {
  const { listener, route, dataset, tenant, does, record, fields, key, values, body, refusal } = explained;
  const { recordsBound = [], keysNamed = [] } = explained;
  const head = memberLines({
    listener,
    route,
    dataset,
    ...(tenant === undefined ? {} : { tenant }),
    does,
    ...(fields.length === 0 ? {} : { fields: fields.join(", "), record }),
    ...(key === undefined || fields.length === 0 ? {} : { key }),
    ...(keysNamed.length === 0 ? {} : { "sealed under": keysNamed.join(", ") }),
    ...(recordsBound.length === 0 ? {} : { "bound to": recordsBound.join(", ") }),
  });
  const found = (values ?? []).map(({ location, field, mode }) => [`  ${location}`, `field ${field}`, mode]);
  const refused =
    refusal === undefined
      ? []
      : [`${paint.bad(refusal.code)} ${refusal.text}${refusal.reason === undefined ? "" : ` (${refusal.reason})`}`];
  return [
    ...head,
    ...(values === undefined ? [] : ["", `${values.length} mapped values in the sample`, ...columnLines(found)]),
    ...(body === undefined ? [] : ["", "the body after", body]),
    ...(refused.length === 0 ? [] : ["", ...refused]),
  ];
}

export const explainCommand: CommandShape = {
  name: "explain",
  summary: "show which route, fields and record a sample request or answer meets, and what would become of it",
  example:
    `echo '{"ssn":"078-05-1120","notes":"-"}' | ` +
    `sealwright explain -c sidecar.yaml --route "PUT /v1/patients/7" --tenant acme -`,
  details:
    "Without a file it tells the route only. Nothing is sent and no key service is asked: values are sealed under a key that\n" +
    "is thrown away, and sealed values of an answer are shown as <opened: field>. Exit code 1 when it would be refused.",
  parameters: [{ name: "[file]", help: "the sample body; - for stdin" }],
  options: [
    configOption,
    ...exchangeOptions.map((option) => (option.flags.startsWith("--route") ? { ...option, required: true } : option)),
    { flags: "--answer", help: "the sample is the answer's body, not the request's" },
  ],
  act: async (call) => {
    const { config } = loadSidecar(call.required("config"), { files: "noted" });
    const file = call.argument(0);
    const body = file === undefined ? undefined : await call.terminal.input(file);
    const explained = await explain(config, call, body);
    const ok = explained.refusal === undefined;
    if (call.json) call.terminal.result(JSON.stringify({ ok, ...explained }));
    else for (const line of explanationLines(explained, call.terminal.paint)) call.terminal.result(line);
    return ok ? exitCode.done : exitCode.problem;
  },
};
