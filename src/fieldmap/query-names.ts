import { NameTable } from "./key-names.ts";

/** Longest query that is read word by word; a longer one that names no field plainly is refused all the same. */
const longestQuery = 8192;
/** An escape of an escape of an escape is nobody's query. */
const mostDecodings = 3;

/** What cuts a parameter's name into the names that frameworks see: `filter[ssn]`, `patient.ssn`, `patient/ssn`, `ssn__eq`, `"ssn"`. */
const nameCuts = /[.[\]/:()<>!$@~"'`{}|,*^\\]+|__/u;

/** Comparisons by word: OData, SCIM, SQL, RSQL, PostgREST and the like. */
const comparing =
  "eq|neq?|lte?|le|gte?|ge|in|nin|i?like|is|co|sw|ew|contains|matches|starts?with|ends?with|between|regexp?|rlike|similar|glob";
/** A comparison at the end of a parameter's name: `ssn_eq`, `ssn_not_in`, `ssn_cont`, `ssn-gt`. */
const comparingEnd = new RegExp(`[_-](?:not[_-])?(?:${comparing}|cont|start|end)(?:_any|_all)?$`, "iu");

const word = String.raw`[\p{L}\p{N}_$-]+`;
/** What may close around a word before the comparison: quotes, also escaped ones, `tolower(ssn) eq`, `[ssn] =`. */
const closers = "[\\s\"'`\\])\\\\]";
/** A word with what says that a value follows: `ssn:`, `ssn=`, `ssn eq`, `"ssn":`, `ssn>`, `ssn.eq.1`. */
const comparedWord = new RegExp(
  String.raw`(?<![\p{L}\p{N}_$-])(${word})(?:${closers}*[:=<>~!+]|${closers}+(?:not\s+)?(?:${comparing})\b|\.(?:not\.)?(?:${comparing})\.)`,
  "giu",
);
/** The same turned round: `'1' eq ssn`, `1=ssn`. */
const comparedLast = new RegExp(String.raw`["'\d]\s*(?:[=<>!]=?|\s(?:eq|ne|lt|le|gt|ge)\s)\s*["'[(]?(${word})`, "giu");
/** The same by function call: `eq(ssn,1)`, `contains(ssn,'1')`, `startswith(tolower(ssn),'1')`. */
const calledWord = new RegExp(String.raw`(?<!\w)\w+\(\s*(?:\w+\(\s*)?["']?(${word})["']?\s*\)*\s*,`, "giu");
/** The same turned round: `substringof('1',ssn)`. */
const calledLast = new RegExp(String.raw`["'\d]\s*,\s*(${word})\s*\)`, "giu");

/** Letters in JSON may be written so (RFC 8259 section 7). */
const jsonEscape = /\\u([0-9A-Fa-f]{4})/gu;

/**
 * Says whether a request target's query would carry a mapped field: a parameter whose name is one of `names` or has one among
 * its parts, or a value in which one is compared with something (JSON filters, OData, RSQL, Lucene). A plain list of names
 * (`fields=ssn,name`, `sort=ssn`) carries no value and passes. What cannot be decoded counts as mapped: nobody can tell.
 */
export function queryNames(names: readonly string[]): (target: string) => boolean {
  // Case variants too: what a store makes of them is unknown.
  const table = new NameTable(new Map(names.map((name, index) => [name, index])), "ignoreCase");
  const isMapped = (word: string): boolean => table.findText(word) !== -1;

  const isMappedPart = (part: string): boolean =>
    isMapped(part) || isMapped(part.replace(/^[-+$]+/u, "")) || isMapped(part.replace(comparingEnd, ""));
  const isMappedName = (name: string): boolean =>
    [name, ...name.split(nameCuts)].some((part) => isMappedPart(part.trim()));
  const isMappedValue = (given: string): boolean => {
    const value = given.replaceAll(jsonEscape, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
    return [comparedWord, comparedLast, calledWord, calledLast].some((pattern) =>
      [...value.matchAll(pattern)].some((match) => isMappedPart(match[1] ?? "")),
    );
  };

  return (target) => {
    const start = target.indexOf("?");
    if (start === -1 || start === target.length - 1) return false;
    const query = target.slice(start + 1);
    if (query.length > longestQuery) return true;
    return query.split(/[&;]/u).some((parameter) => {
      const equals = parameter.indexOf("=");
      const name = decoded(equals === -1 ? parameter : parameter.slice(0, equals));
      const value = decoded(equals === -1 ? parameter : parameter.slice(equals + 1));
      if (name === undefined || value === undefined) return true;
      // A filter without a name of its own may hold the first `=` itself.
      return isMappedName(name) || isMappedValue(name) || isMappedValue(value);
    });
  };
}

/** Decoded until nothing is left to decode, as a chain of servers might; `undefined` where that is not possible. */
function decoded(text: string): string | undefined {
  let current = text.replaceAll("+", " ");
  for (let round = 0; round < mostDecodings; round += 1) {
    // An escape of no standard, which some servers read all the same.
    if (/%u[0-9A-Fa-f]{4}/iu.test(current)) return undefined;
    if (!/%[0-9A-Fa-f]{2}/u.test(current)) return current;
    try {
      current = decodeURIComponent(current);
    } catch {
      return undefined;
    }
  }
  return /%[0-9A-Fa-f]{2}/u.test(current) ? undefined : current;
}
