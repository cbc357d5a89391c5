import { CST, Lexer } from "yaml";
import type { BrokenRule } from "./problem.ts";

/** A broken rule at a character offset of the file's text. */
export interface OffsetProblem extends BrokenRule {
  readonly offset: number;
}

const deepest = 64;

/** YAML that is refused wherever it stands, by kind of token: none of it is needed to write settings down. */
const refusedTokens = new Map<CST.TokenType | null, BrokenRule>([
  [
    "anchor",
    {
      rule: "yaml-anchor",
      message: "Anchors are refused.",
      fix: "Remove the anchor and write each value where it is used.",
    },
  ],
  [
    "alias",
    {
      rule: "yaml-alias",
      message: "Aliases are refused.",
      fix: "Write the value out; quote it if it is text that begins with *.",
    },
  ],
  [
    "tag",
    {
      rule: "yaml-tag",
      message: "Tags are refused.",
      fix: "Remove the tag; quote the value if it is text that begins with !.",
    },
  ],
  [
    "directive-line",
    { rule: "yaml-directive", message: "Directives are refused.", fix: "Remove the line that begins with %." },
  ],
]);

const tooDeep: BrokenRule = {
  rule: "yaml-too-deep",
  message: `Values are nested deeper than ${deepest} levels.`,
  fix: "Flatten the file; no setting is that deep.",
};

/** Refuses anchors, aliases, tags, directives and deep flow nesting from the tokens alone, before anything is composed. */
export function refusedByToken(text: string): OffsetProblem[] {
  const problems: OffsetProblem[] = [];
  let offset = 0;
  let depth = 0;
  let content = false;
  for (const lexeme of new Lexer().lex(text)) {
    // Control lexemes are the lexer's own marks; only the byte order mark stands in the text.
    if (lexeme === CST.SCALAR || lexeme === CST.DOCUMENT || lexeme === CST.FLOW_END) {
      content = lexeme === CST.SCALAR;
      continue;
    }
    if (!content) {
      const refused = refusedTokens.get(CST.tokenType(lexeme));
      if (refused !== undefined) problems.push({ ...refused, offset });
      if (lexeme === "[" || lexeme === "{") depth += 1;
      if (lexeme === "]" || lexeme === "}") depth -= 1;
      if (depth > deepest) return [...problems, { ...tooDeep, offset }];
    }
    content = false;
    offset += lexeme.length;
  }
  return problems;
}

const controlCharacter = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]|\t/gu;

/** Refuses tabs and control characters: a reader cannot see them, and parsers differ on them. */
export function refusedCharacters(text: string): OffsetProblem[] {
  const problems: OffsetProblem[] = [];
  let lastLine = -2;
  for (const match of text.matchAll(controlCharacter)) {
    if (match[0] === "\r" && text[match.index + 1] === "\n") continue;
    const line = text.lastIndexOf("\n", match.index);
    if (line === lastLine) continue;
    lastLine = line;
    problems.push({
      offset: match.index,
      ...(match[0] === "\t"
        ? { rule: "yaml-tab", message: "Tabs are refused.", fix: "Indent and separate with spaces." }
        : {
            rule: "yaml-control-character",
            message: "Control characters are refused.",
            fix: "Remove the character, or write it as an escape in double quotes.",
          }),
    });
  }
  return problems;
}

export { deepest as deepestNesting, tooDeep };
