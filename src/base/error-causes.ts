/** How many links of a cause chain are told. */
const longestChain = 6;

/** File and line of an error's top frame in our own sources, such as `open-values.ts:120`, or nothing. */
function topFrame(error: Error): string {
  const header = `${error.name}: ${error.message}`;
  // Frames are read only behind the exact header, so that no text of a message is ever taken for one.
  if (error.message === "" || error.stack?.startsWith(header) !== true) return "";
  const place = /[(/\\]([\w.-]+\.[jt]s:\d+):\d+\)?$/m.exec(error.stack.slice(header.length))?.[1];
  return place === undefined ? "" : `@${place}`;
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code: unknown = "code" in error ? error.code : undefined;
  const shown = typeof code === "string" && /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(code) ? ` ${code}` : "";
  const name = /^\w{1,64}$/.test(error.name) ? error.name : "Error";
  return `${name}${shown}${topFrame(error)}`;
}

/**
 * The chain of causes for a log line: names of error classes, their codes and the place in our sources, never a message.
 * `TypeError@open-values.ts:120 < Error ECONNREFUSED`
 */
export function causesOf(error: unknown): string {
  const names: string[] = [];
  for (let link = error; link !== undefined && link !== null && names.length < longestChain;) {
    names.push(nameOf(link));
    link = link instanceof Error ? link.cause : undefined;
  }
  return names.join(" < ");
}
