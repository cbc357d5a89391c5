import type { DemoReport } from "./demo-report.ts";
import type { Percentiles } from "./latency.ts";
import { columns, type Cell, type Ink } from "./text-table.ts";

const cell = 30;

/** The report for people: plain text, `ink` adds colour where the output is a terminal. */
export function reportText(report: DemoReport, ink: Ink): string {
  const sections = [
    section("One patient, on its way to the store and back", memberLines(report, ink), ink),
    section("What else the app did", operationLines(report, ink), ink),
    section("The store's files on disk", diskLines(report), ink),
    section("The wire", hopLines(report), ink),
    section("Keys", keyLines(report), ink),
    section("What it costs", latencyLines(report, ink), ink),
    section("Checks", checkLines(report, ink), ink),
    ...(report.tryOut === undefined ? [] : [section("Try it", tryLines(report, ink), ink)]),
  ];
  return `${sections.join("\n\n")}\n\n${verdict(report, ink)}\n`;
}

const section = (title: string, lines: readonly string[], ink: Ink): string =>
  [ink.bold(title), ...lines.map((line) => (line === "" ? "" : `  ${line}`))].join("\n");

function memberLines({ members }: DemoReport, ink: Ink): string[] {
  const rows = members.map(({ member, sent, stored, received, sealed }) => [
    { text: member },
    { text: short(sent) },
    { text: sealed ? sealedText(stored) : short(stored), paint: sealed ? ink.yellow : undefined },
    { text: short(received), paint: received === sent ? ink.green : ink.red },
  ]);
  return columns(["", "the app sent", "the store holds", "the app got back"], rows, ink);
}

function operationLines({ operations }: DemoReport, ink: Ink): string[] {
  const rows = operations.map(({ request, what, stored, received, ok }) => [
    { text: request },
    { text: what },
    { text: stored, paint: ink.yellow },
    { text: received, paint: ok ? ink.green : ink.red },
  ]);
  return columns(["request", "", "the store holds", "the app got back"], rows, ink);
}

function diskLines({ disk }: DemoReport): string[] {
  const size = `${disk.files} files, ${Math.round(disk.bytes / 1024)} KiB`;
  return [
    `${size}, searched as UTF-8, UTF-16, JSON escapes, hex and base64 for ${disk.texts} clear values: ${disk.hits} hits.`,
    `The same search does find what was written past Sealwright (${disk.controls} of ${disk.controls} controls).`,
  ];
}

function hopLines({ hops }: DemoReport): string[] {
  const from = Math.max(...hops.map((hop) => hop.from.length));
  const to = Math.max(...hops.map((hop) => hop.to.length));
  return hops.map((hop) => {
    const tls = [hop.protocol, hop.group, hop.cipher, hop.mutual ? "both certificates checked" : ""];
    return `${hop.from.padEnd(from)} -> ${hop.to.padEnd(to)}  ${tls.filter((part) => part !== "").join(", ")}`;
  });
}

function keyLines({ kms }: DemoReport): string[] {
  const calls = Object.entries(kms.operations).map(([operation, count]) => `${count} ${operation}`);
  return [
    `${kms.calls} key service calls (${calls.join(", ")}) for ${kms.sealed} values sealed and ${kms.opened} opened.`,
  ];
}

function latencyLines({ latency }: DemoReport, ink: Ink): string[] {
  const pair = ({ p50, p99 }: Percentiles): Cell => ({ text: `${p50.toFixed(2)} / ${p99.toFixed(2)}` });
  const rows = latency.map(({ operation, requests, direct, sealed }) => [
    { text: `${operation}, ${requests} each way` },
    pair(direct),
    pair(sealed),
    pair({ p50: sealed.p50 - direct.p50, p99: sealed.p99 - direct.p99 }),
  ]);
  return columns(["p50 / p99 in ms", "app to store", "through Sealwright", "added"], rows, ink);
}

const checkLines = ({ checks }: DemoReport, ink: Ink): string[] =>
  checks.map(({ name, ok }) => `${ok ? ink.green("ok  ") : ink.red("FAIL")} ${name}`);

function verdict({ checks, seconds }: DemoReport, ink: Ink): string {
  const failed = checks.filter(({ ok }) => !ok).length;
  if (failed === 0) return ink.green(`All ${checks.length} checks hold, in ${seconds} s.`);
  return ink.red(`${failed} of ${checks.length} checks FAIL.`);
}

const tryLines = ({ tryOut = [] }: DemoReport, ink: Ink): string[] =>
  tryOut.flatMap(({ what, command }) => [ink.dim(`# ${what}`), command, ""]).slice(0, -1);

const short = (text: string): string => (text.length > cell ? `${text.slice(0, cell - 3)}...` : text);

/** How a sealed value begins, and how long it is. */
const sealedText = (stored: string): string => `${stored.slice(1, 17)}... ${stored.length - 2} chars`;
