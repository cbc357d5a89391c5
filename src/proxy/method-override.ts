import { SealwrightError } from "../base/sealwright-error.ts";
import type { HeaderLines } from "./header-lines.ts";

/**
 * Words by which an upstream would take another method or path than the one the route was chosen by. Removing them would
 * change what the client asked for, so such a request is refused.
 */
const overrides: ReadonlySet<string> = new Set([
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-original-url",
  "x-original-uri",
  "x-rewrite-url",
]);

export const isOverride = (name: string): boolean => overrides.has(name);

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    // Not decodable: nobody reads it as an override either.
    return name;
  }
}

/** True for `?_method=PUT`, in any spelling, which common frameworks take for the method. */
function queryOverrides(target: string): boolean {
  const start = target.indexOf("?");
  if (start < 0) return false;
  const parts = target.slice(start + 1).split(/[&;]/);
  return parts.some(
    (part) =>
      decoded(part.split("=", 1)[0] ?? "")
        .trim()
        .toLowerCase() === "_method",
  );
}

/** Throws `header_refused`. */
export function checkNoOverride(lines: HeaderLines, target: string): void {
  if (lines.names.some(isOverride) || queryOverrides(target)) {
    throw new SealwrightError("header_refused", { reason: "method or path override" });
  }
}
