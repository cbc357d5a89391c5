import { readFileSync } from "node:fs";
import { SealwrightError } from "../../../base/sealwright-error.ts";
import { createFile } from "../../../keys/keyring/atomic-file.ts";
import type { Certificate } from "../../../proxy/certificate.ts";
import { formatPin, pinOf } from "../../../proxy/pins.ts";
import { peerChain, type PeerChain, type PeerQuestion } from "../../peer-chain.ts";
import type { CommandCall, CommandShape } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { usageProblem } from "../usage-problem.ts";

function readFileOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SealwrightError("file_unreadable", { file: path }, error);
  }
}

function questionOf({ argument, option }: CommandCall): PeerQuestion {
  const url = URL.parse(argument(0) ?? "");
  if (url?.protocol !== "https:") throw usageProblem("trust pin takes a URL such as https://couch.db:6984");
  const [ca, cert, key] = [option("ca"), option("cert"), option("key")];
  if ((cert === undefined) !== (key === undefined)) throw usageProblem("--cert and --key go together");
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 443 : Number(url.port),
    ca: ca === undefined ? undefined : readFileOf(ca),
    identity: cert === undefined || key === undefined ? undefined : { cert: readFileOf(cert), key: readFileOf(key) },
  };
}

function certificateLines(certificate: Certificate, index: number): readonly string[] {
  return [
    `${index === 0 ? "server" : `issuer ${String(index)}`}  ${certificate.subject.replaceAll("\n", ", ")}`,
    `  names  ${certificate.subjectAltName ?? "none"}`,
    `  valid  ${certificate.validFromDate.toISOString()} to ${certificate.validToDate.toISOString()}`,
    `  key    ${formatPin(pinOf(certificate))}`,
  ];
}

const vouchedWords = ({ vouched }: PeerChain): string => {
  if (vouched === undefined) return "no --ca was given to hold it against";
  return vouched ? "the authorities of --ca vouch for it" : "the authorities of --ca do NOT vouch for it";
};

export const trustPinCommand: CommandShape = {
  name: "pin",
  summary: "look at the key that a server shows, and pin it after you have agreed",
  example: "sealwright trust pin https://couch.db:6984 --ca ca.crt --out store.pins",
  details:
    "Trust on first use: compare the key with what the server's owner tells you on another way. The file is for\n" +
    "upstream.pinFile; add a spare key to it, so that a lost one is no outage. Later another key is refused with upstream_pin.\n" +
    "Nothing is sent to the server. An existing file is never overwritten.",
  parameters: [{ name: "<url>", help: "the upstream, such as https://couch.db:6984" }],
  options: [
    { flags: "--ca <file>", help: "authorities to hold the chain against, PEM" },
    { flags: "--cert <file>", help: "client certificate, for servers that want one" },
    { flags: "--key <file>", help: "its key" },
    { flags: "--out <file>", help: "write the pin into this new file" },
    { flags: "--yes", help: "do not ask; refused where the authorities of --ca do not vouch for it" },
  ],
  act: async (call) => {
    const { terminal, json, option, flag } = call;
    const chain = await peerChain(questionOf(call));
    const [server] = chain.certificates;
    if (server === undefined) throw new SealwrightError("upstream_identity", { reason: "no certificate" });
    const pin = formatPin(pinOf(server));
    const out = option("out");
    if (!json) {
      for (const line of chain.certificates.flatMap(certificateLines)) terminal.result(line);
      terminal.result(vouchedWords(chain));
    }
    if (out !== undefined && flag("yes") && chain.vouched === false)
      throw new SealwrightError("upstream_identity", { reason: "the authorities of --ca do not vouch for it" });
    const agreed = out !== undefined && (flag("yes") || (await terminal.agrees(`Pin ${pin}?`)));
    if (out !== undefined && agreed)
      await createFile(out, `# ${argumentText(call)}, ${server.subject.replaceAll("\n", ", ")}\n${pin}\n`);
    if (json) terminal.result(JSON.stringify({ ok: out === undefined || agreed, pin, vouched: chain.vouched ?? null }));
    else if (agreed) terminal.progress(`wrote ${out}; name it as upstream.pinFile, and add a spare key`);
    else if (out !== undefined) terminal.progress("nothing was written");
    return out === undefined || agreed ? exitCode.done : exitCode.problem;
  },
};

/** The server as it was named, without what a URL may hide a password in. */
function argumentText({ argument }: CommandCall): string {
  return URL.parse(argument(0) ?? "")?.origin ?? "";
}
