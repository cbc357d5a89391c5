import { isDeepStrictEqual } from "node:util";

import type { Checks } from "./checks.ts";
import { compareDocument, type MemberRow } from "./member-table.ts";
import type { LegacyApp, StoredPatient } from "./legacy-app.ts";
import { refusalOf } from "./refusal.ts";
import { ada, boris, chiara, clearTexts, dmitri, type Patient } from "./sample-patients.ts";
import { countBound, countSealed, holdsNone } from "./sealed-text.ts";
import type { StoreJournal } from "./store-journal.ts";
import type { StoreReader } from "./store-reader.ts";

/** One thing the app did, in words for the table. */
export interface Operation {
  readonly request: string;
  readonly what: string;
  readonly stored: string;
  readonly received: string;
  readonly ok: boolean;
}

export interface ScenarioResult {
  /** The first patient, member by member. */
  readonly members: readonly MemberRow[];
  readonly operations: readonly Operation[];
  /** Id of a patient to try by hand. */
  readonly example: string;
}

export interface Stage {
  readonly app: LegacyApp;
  readonly store: StoreReader;
  readonly journal: StoreJournal;
  readonly checks: Checks;
}

const phoneCorrected: Patient = { ...ada, contacts: [{ relation: "sister", phone: "+49 30 5550 0188" }] };

/** Every clear text that the scenario sends. */
export const scenarioTexts: readonly string[] = [
  ...new Set([ada, boris, chiara, dmitri, phoneCorrected].flatMap(clearTexts)),
];

/** Plays a day of the legacy app and looks after each step at what the store holds. */
export async function playScenario(stage: Stage): Promise<ScenarioResult> {
  const { app } = stage;
  const operations: Operation[] = [];
  const did = (operation: Operation): void => {
    operations.push(operation);
    stage.checks.that(`${operation.request}: ${operation.what}`, operation.ok);
  };

  await app.createDatabase();
  const adaId = await app.put("p-1001", ada);
  did(await written(stage, { request: "PUT /clinic/p-1001", what: "create, own id", id: adaId, sent: ada }));
  const members = compareDocument(ada, await stage.store.read(adaId), await app.read(adaId));
  const borisId = await app.post(boris);
  did(
    await written(stage, {
      request: "POST /clinic",
      what: "create, the store's id",
      id: borisId,
      sent: boris,
      unbound: true,
    }),
  );
  const chiaraId = await app.post({ _id: "p-1003", ...chiara });
  did(await written(stage, { request: "POST /clinic", what: "create, id inside", id: chiaraId, sent: chiara }));
  const [dmitriId = ""] = await app.bulk([{ _id: "p-1004", ...dmitri }, { ...chiara }]);
  did(await written(stage, { request: "POST /clinic/_bulk_docs", what: "two at once", id: dmitriId, sent: dmitri }));

  const everybody = [ada, boris, chiara, dmitri, chiara];
  did(answered("GET /clinic/_all_docs", "list with documents", { sent: everybody, received: await app.list() }));
  did(
    answered("POST /clinic/_all_docs", "fetch by ids", {
      sent: [ada, dmitri],
      received: await app.fetch([adaId, dmitriId]),
    }),
  );
  const found = await app.findByWard("west-3");
  did(
    answered("POST /clinic/_find", "find by ward", { sent: [ada, chiara, chiara].map(foundMembers), received: found }),
  );

  did(
    answered("GET /clinic/_changes", "what changed", {
      sent: everybody,
      received: patientsIn(await app.changes("normal")),
    }),
  );

  await app.put(adaId, { ...(await app.read(adaId)), ...phoneCorrected });
  did(await written(stage, { request: "PUT /clinic/p-1001", what: "update", id: adaId, sent: phoneCorrected }));
  did(await attached(stage, dmitriId));
  did(await refused(stage, { ...byName, attempt: () => app.find({ ssn: ada.ssn }) }));
  did(await refused(stage, { ...multipart, attempt: () => app.putMultipart("p-1005", boris) }));
  did(await endless(stage));
  did(await swapped(stage, adaId, dmitriId));
  return { members, operations, example: adaId };
}

interface Write {
  readonly request: string;
  readonly what: string;
  readonly id: string;
  readonly sent: Patient;
  /** The app sent no id, so there was nothing to bind the values to. */
  readonly unbound?: boolean;
}

async function written({ app, store }: Stage, { request, what, id, sent, unbound }: Write): Promise<Operation> {
  const stored = await store.text(id);
  const expected = sealedMemberCount(sent);
  const same = samePatient(sent, await app.read(id));
  const sealed = countSealed(stored);
  const bound = countBound(stored);
  const hidden = holdsNone(stored, clearTexts(sent));
  return {
    request,
    what,
    stored: `${sealed} sealed, ${bound === 0 ? "unbound" : `bound to ${id}`}${hidden ? "" : ", CLEAR TEXT"}`,
    received: same ? "what it sent" : "SOMETHING ELSE",
    ok: same && hidden && sealed === expected && bound === (unbound === true ? 0 : expected),
  };
}

function answered(
  request: string,
  what: string,
  answer: { sent: readonly object[]; received: readonly StoredPatient[] },
): Operation {
  const { sent, received } = answer;
  const wanted = sent.filter((patient) => received.some((candidate) => samePatient(patient, candidate)));
  const ok = wanted.length === sent.length && received.length === sent.length;
  return { request, what, stored: "-", received: `${received.length} documents, opened`, ok };
}

async function attached({ app, store }: Stage, id: string): Promise<Operation> {
  const bytes = Buffer.from(Array.from({ length: 2048 }, (_, index) => (index * 7919) % 256));
  const back = await app.attach(id, bytes);
  const stillSealed = countSealed(await store.text(id)) === sealedMemberCount(dmitri);
  return {
    request: `PUT /clinic/${id}/scan.bin`,
    what: "attachment (not mapped)",
    stored: "as sent: passthrough",
    received: "the same bytes",
    ok: back.equals(bytes) && stillSealed,
  };
}

const byName = { request: "POST /clinic/_find", what: "find by ssn, in clear", code: "mapped_name" };
const multipart = { request: "PUT /clinic/p-1005", what: "multipart upload", code: "media_type" };

interface Attempt {
  readonly request: string;
  readonly what: string;
  /** Of the refusal. */
  readonly code: string;
  readonly attempt: () => Promise<unknown>;
}

async function refused({ journal, store }: Stage, { request, what, code, attempt }: Attempt): Promise<Operation> {
  let refusal = { code: "", text: "" };
  const arrived = await journal.arrivals("sealwright", store, async () => {
    refusal = await refusalOf(attempt);
  });
  const stored = arrived === 0 ? "nothing arrived" : "SOMETHING ARRIVED";
  return { request, what, stored, received: refusal.text, ok: refusal.code === code && arrived === 0 };
}

/** A feed of many JSON documents is none: no answer of it is passed on. */
async function endless({ app }: Stage): Promise<Operation> {
  const refusal = await refusalOf(() => app.changes("continuous"));
  const words = { request: "GET /clinic/_changes", what: "as an endless feed", stored: "-" };
  return { ...words, received: refusal.text, ok: refusal.code === "json_invalid" };
}

/** Somebody with access to the store moves one patient's sealed ssn into another's document. */
async function swapped({ app, store }: Stage, victim: string, donor: string): Promise<Operation> {
  const before = await store.read(victim);
  await store.write(victim, { ...before, ssn: (await store.read(donor))["ssn"] });
  const refusal = await refusalOf(() => app.read(victim));
  await store.write(victim, { ...before, _rev: (await store.read(victim))["_rev"] });
  const restored = samePatient(phoneCorrected, await app.read(victim));
  return {
    request: `GET /clinic/${victim}`,
    what: "after a swap in the store",
    stored: "another's sealed ssn",
    received: refusal.text,
    ok: refusal.code === "open_failed" && restored,
  };
}

const sealedMemberCount = (patient: Patient): number => 5 + patient.contacts.length;

/** Without the indexes, which are documents too. */
const patientsIn = (documents: readonly StoredPatient[]): StoredPatient[] =>
  documents.filter(({ _id }) => !_id.startsWith("_design/"));

const foundMembers = ({ ward, ssn, fullName }: Patient): object => ({ ward, ssn, fullName });

/** The same but for what the store adds. */
function samePatient(sent: object, received: object): boolean {
  const bare = (document: object): object =>
    Object.fromEntries(Object.entries(document).filter(([name]) => !name.startsWith("_")));
  return isDeepStrictEqual(bare(sent), bare(received));
}
