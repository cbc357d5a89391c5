import { systemClock } from "../../../base/clock.ts";
import { loadSidecar } from "../../config/load-sidecar.ts";
import { configFindings } from "../../doctor/config-findings.ts";
import { drillKms, drillLines } from "../../doctor/drill.ts";
import { keyFindings } from "../../doctor/key-findings.ts";
import { ownProcess, processFindings } from "../../doctor/process-findings.ts";
import { serviceFindings } from "../../doctor/service-findings.ts";
import { tlsFindings } from "../../doctor/tls-findings.ts";
import type { CommandShape } from "../command.ts";
import { configOption } from "../config-option.ts";
import { exitCode } from "../exit-code.ts";
import { findingLines } from "../finding-lines.ts";

export const doctorCommand: CommandShape = {
  name: "doctor",
  summary: "look at configuration, certificates, keys and process as they are, and say what to mend",
  example: "sealwright doctor -c sidecar.yaml",
  details:
    "Asks every key service once what a sidecar would ask it. Each check is ok, not ok or unknown, with what to do. Exits 1 when\n" +
    "a check is not ok. --drill kms asks the running sidecar what would happen if its key service were out of reach from now\n" +
    "on: how long writes and reads would go on, key by key. The key service is not touched.",
  options: [configOption, { flags: "--drill <what>", help: "what if: kms", choices: ["kms"] }],
  act: async (call) => {
    const { terminal, json, required } = call;
    const loaded = loadSidecar(required("config"), { files: "noted" });
    if (call.option("drill") !== undefined) {
      const report = await drillKms(loaded.config);
      if (json) terminal.result(JSON.stringify({ ok: true, ...report }));
      else for (const line of drillLines(report)) terminal.result(line);
      return exitCode.done;
    }
    const findings = [
      ...configFindings(loaded.config),
      ...tlsFindings(loaded.config, systemClock.wallMs()),
      ...(await serviceFindings(loaded.config)),
      ...(await keyFindings(loaded)),
      ...processFindings(ownProcess()),
    ];
    const ok = !findings.some(({ status }) => status === "not ok");
    if (json) terminal.result(JSON.stringify({ ok, findings }));
    else for (const line of findings.flatMap((finding) => findingLines(finding, terminal))) terminal.result(line);
    return ok ? exitCode.done : exitCode.problem;
  },
};
