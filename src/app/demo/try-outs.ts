import { join } from "node:path";

import type { DemoPorts } from "./demo-config.ts";
import type { DemoFiles } from "./demo-files.ts";
import type { TryOut } from "./demo-report.ts";

/** Commands for whoever wants to look around while the demo runs, `patient` being a patient's id. */
export function tryOuts(files: DemoFiles, ports: DemoPorts, patient: string): TryOut[] {
  const at = (name: string): string => join(files.folder, name);
  const as = (name: string): string =>
    `curl --cacert ${at("config/ca.crt")} --cert ${at(`${name}.crt`)} --key ${at(`${name}.key`)}`;
  const admin = `http://127.0.0.1:${ports.admin}`;
  return [
    { what: "the app's view: clear", command: `curl http://127.0.0.1:${ports.outbound}/clinic/${patient}` },
    {
      what: "the store's view: sealed",
      command: `${as("outsider")} https://localhost:${ports.lookout}/clinic/${patient}`,
    },
    {
      what: "from outside, as the gateway",
      command: `${as("gateway")} https://localhost:${ports.inbound}/patients/${patient}`,
    },
    {
      what: "a query that would carry an ssn in clear is refused",
      command: `curl -d '{"selector":{"ssn":"219-09-9999"}}' -H content-type:application/json http://127.0.0.1:${ports.outbound}/clinic/_find`,
    },
    { what: "health and metrics", command: `curl ${admin}/readyz ${admin}/metrics` },
    { what: "the configuration and the logs", command: `ls ${files.config} ${files.logs}` },
  ];
}
