import type { Checks } from "./checks.ts";
import type { DemoPorts } from "./demo-config.ts";
import type { DemoFiles } from "./demo-files.ts";
import { storeGroup } from "./document-store.ts";
import { knock, staysShut } from "./front-door.ts";
import { ada } from "./sample-patients.ts";
import type { StoreJournal } from "./store-journal.ts";
import type { TlsHop } from "./tls-hop.ts";

/** What a survey of the wire needs: the ports, the certificates and who connected to the store so far. */
export interface Survey {
  readonly ports: DemoPorts;
  readonly files: DemoFiles;
  readonly journal: StoreJournal;
  readonly checks: Checks;
}

/** Goes over every hop from the gateway to the store, `patient` being a patient's id; tries what must not work, too. */
export async function surveyHops(survey: Survey, patient: string): Promise<TlsHop[]> {
  const door = await surveyDoor(survey, patient);
  const store = surveyStore(survey);
  const secured = [door, store].every(({ protocol, group }) => protocol === "TLSv1.3" && group !== "");
  survey.checks.that("inbound and outbound: TLS 1.3, both ends show a certificate", secured);
  const loopback = { protocol: "plain HTTP on loopback", group: "", cipher: "", mutual: false };
  return [
    door,
    { from: "Sealwright", to: "the app", ...loopback },
    { from: "the app", to: "Sealwright", ...loopback },
    store,
  ];
}

async function surveyDoor({ ports, files, checks }: Survey, patient: string): Promise<TlsHop> {
  const door = { url: `https://localhost:${ports.inbound}/patients/${patient}`, ca: files.ca };
  const answer = await knock(door, files.gateway);
  checks.that("inbound: the gateway gets the patient from the app", answer.body.includes(ada.ssn));
  checks.that("inbound: without a client certificate, no answer", await staysShut(() => knock(door, undefined)));
  const older = { maxVersion: "TLSv1.2" } as const;
  checks.that("inbound: by TLS 1.2, no answer", await staysShut(() => knock(door, files.gateway, older)));
  const stranger = await knock(door, files.stranger);
  checks.that("inbound: a certificate that is not on the list gets 403", stranger.status === 403);
  const { protocol, group, cipher } = answer;
  return { from: "gateway", to: "Sealwright", protocol, group, cipher, mutual: true };
}

/** What the store saw of Sealwright's connections. It asks for a certificate and takes one group only. */
function surveyStore({ journal }: Survey): TlsHop {
  const peer = journal.peer("sealwright");
  const { protocol = "", cipher = "" } = peer ?? {};
  const group = peer === undefined ? "" : storeGroup;
  return { from: "Sealwright", to: "the store", protocol, group, cipher, mutual: peer !== undefined };
}
