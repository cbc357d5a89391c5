import type { Patient } from "./sample-patients.ts";
import { isSealed } from "./sealed-text.ts";

/** One member of a document, on its way from the app to the store and back. JSON text each. */
export interface MemberRow {
  readonly member: string;
  readonly sent: string;
  readonly stored: string;
  readonly received: string;
  readonly sealed: boolean;
}

/** Lists the leaves of a patient as the app sent them, as the store holds them and as the app got them back. */
export function compareDocument(
  sent: Patient,
  stored: Readonly<Record<string, unknown>>,
  received: Patient,
): MemberRow[] {
  return memberPaths(sent).map((path) => {
    const held = valueAt(stored, path);
    return {
      member: spelled(path),
      sent: asText(valueAt(sent, path)),
      stored: asText(held),
      received: asText(valueAt(received, path)),
      sealed: isSealed(held),
    };
  });
}

/** Objects and lists of objects are walked; everything else is a leaf. */
function memberPaths(value: object): string[][] {
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
    isWalked(member) ? memberPaths(member).map((rest) => [name, ...rest]) : [[name]],
  );
}

/** As a field map would name it, without the `$.`: `contacts[0].phone`. */
const spelled = (path: readonly string[]): string =>
  path
    .map((name) => (/^\d+$/.test(name) ? `[${name}]` : `.${name}`))
    .join("")
    .slice(1);

const isWalked = (value: unknown): value is object =>
  typeof value === "object" && value !== null && (!Array.isArray(value) || typeof value[0] === "object");

const valueAt = (document: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (value as Readonly<Record<string, unknown>> | undefined)?.[name], document);

const asText = (value: unknown): string => (value === undefined ? "(absent)" : JSON.stringify(value));
