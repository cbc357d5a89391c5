import { formatListenAddress } from "../../../base/listen-address.ts";
import { isDevelopmentKms } from "../../../kms/provider.ts";
import { loadSidecar, type LoadedSidecar } from "../../config/load-sidecar.ts";
import type { ListenerConfig } from "../../config/sidecar-config.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { columnLines } from "../member-lines.ts";
import { warningLines } from "../problem-lines.ts";

const fieldWord = (n: number): string => `${n} ${n === 1 ? "field" : "fields"}`;
const routeWord = (n: number): string => `${n} ${n === 1 ? "route" : "routes"}`;

function clientsWord({ tls }: ListenerConfig): string {
  if (tls === undefined) return "plain HTTP";
  return tls.clients === undefined ? "TLS 1.3, any client" : "TLS 1.3, client certificates";
}

function rulesWord({ routes, datasets }: ListenerConfig): string {
  return routes === undefined ? "no field map: passes as it is" : `${datasets.join(", ")}; unmatched: deny`;
}

function summaryLines({ config, maps }: LoadedSidecar): readonly string[] {
  const listeners = config.listeners.map((listener) => [
    `  ${listener.name}`,
    listener.direction,
    `${formatListenAddress(listener.listen)} -> ${listener.upstream.origin}`,
    clientsWord(listener),
    rulesWord(listener),
  ]);
  const datasets = maps.map(({ dataset, routes }) => [
    `  ${dataset.name}`,
    fieldWord(dataset.fields.length),
    routeWord(routes.length),
  ]);
  const kms = [...config.kms].map(([name, row]) => [
    `  ${name}`,
    row.provider,
    isDevelopmentKms(row) ? "for development only" : "",
  ]);
  return [
    "listeners",
    ...columnLines(listeners),
    ...(datasets.length === 0 ? [] : ["field maps", ...columnLines(datasets)]),
    ...(kms.length === 0 ? [] : ["key services", ...columnLines(kms)]),
  ];
}

export const checkCommand: CommandShape = {
  name: "check",
  summary: "check a sidecar file and its field maps; shows every problem at once",
  example: "sealwright check -c sidecar.yaml",
  details:
    "Each problem is told as file:line:column, the rule, what is wrong, and what to write instead. Certificates, keys and the\n" +
    "keyring may come later: their absence is only noted, unless --files is given.",
  options: [configOption, { flags: "--files", help: "every file that is named must be there" }],
  act: ({ terminal, json, required, flag }) => {
    const file = required("config");
    const loaded = loadSidecar(file, { files: flag("files") ? "required" : "noted" });
    if (json) {
      terminal.result(JSON.stringify({ ok: true, file, warnings: loaded.warnings }));
      return exitCode.done;
    }
    for (const line of warningLines(loaded.warnings, terminal)) terminal.progress(line);
    terminal.result(`${file} ${terminal.paint.good("is good")}`);
    for (const line of summaryLines(loaded)) terminal.result(line);
    return exitCode.done;
  },
};
