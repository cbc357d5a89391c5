import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar } from "yaml";
import type { BrokenRule } from "./problem.ts";
import { deepestNesting, tooDeep, type OffsetProblem } from "./yaml-tokens.ts";

export type YamlPath = readonly (string | number)[];

/** A plain value built from YAML nodes, and the paths whose value was refused on the way. */
export interface YamlValue {
  readonly value: unknown;
  readonly problems: readonly OffsetProblem[];
  /** Paths with a problem of their own, as `JSON.stringify` writes them: a schema need not complain of them again. */
  readonly refused: ReadonlySet<string>;
}

/** Words that one YAML version reads as a truth value, a number or nothing, and another as text. */
const ambiguousWord = /^(?:yes|no|on|off|y|n|true|false|null|~|[-+]?\.inf|\.nan)$/iu;
/** Digits of every base some YAML reads, sixties too; letters are digits behind `0x` only: `3d` and `0B` are text to all. */
const numberLike =
  /^[-+]?(?:0[xX][0-9a-fA-F_]+|0[oObB][0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?)$|^[-+]?\.[0-9]+|^[-+]?[0-9]+(?::[0-5]?[0-9])+$/u;
const plainNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/u;

const ambiguous: BrokenRule = {
  rule: "yaml-scalar",
  message: "This word is text to one YAML reader and a truth value, a number or nothing to another.",
  fix: "Put it in quotes if it is text; else write true, false or a plain decimal number.",
};

const nothing: BrokenRule = {
  rule: "yaml-null",
  message: "A setting has no value.",
  fix: "Give it a value or remove the setting.",
};

/**
 * Builds plain values (objects without a prototype, arrays, strings, numbers, truth values) without ever following an alias.
 */
export function yamlValue(root: Node): YamlValue {
  const problems: OffsetProblem[] = [];
  const refused = new Set<string>();

  const refuse = (path: YamlPath, offset: number, why: BrokenRule): unknown => {
    problems.push({ ...why, offset });
    refused.add(JSON.stringify(path));
    return undefined;
  };

  const fromScalar = (node: Scalar, path: YamlPath): unknown => {
    const { value } = node;
    if (node.type === "PLAIN") {
      if (value === null) return refuse(path, startOf(node), nothing);
      const source = node.source ?? "";
      const exact = typeof value === "boolean" ? source === "true" || source === "false" : plainNumber.test(source);
      const suspect = typeof value !== "string" || ambiguousWord.test(source) || numberLike.test(source);
      if (suspect && !exact) return refuse(path, startOf(node), ambiguous);
      if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value))
        return refuse(path, startOf(node), ambiguous);
    }
    return value;
  };

  const fromMap = (pairs: readonly Pair[], path: YamlPath): unknown => {
    const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const pair of pairs) {
      const key = keyText(pair);
      const offset = startOf(pair.key);
      const below = [...path, key];
      if (key === "<<") {
        refuse(below, offset, {
          rule: "yaml-merge-key",
          message: "Merge keys are refused.",
          fix: "Write the settings out.",
        });
      } else if (key in object) {
        refuse(below, offset, {
          rule: "yaml-duplicate-key",
          message: "This key stands twice in one place.",
          fix: "Keep one of them.",
        });
      } else {
        if (isScalar(pair.key) && pair.key.type === "PLAIN" && ambiguousWord.test(key))
          refuse(below, offset, ambiguous);
        object[key] = fromNode(pair.value, offset, below);
      }
    }
    return object;
  };

  const fromNode = (node: unknown, keyOffset: number, path: YamlPath): unknown => {
    if (path.length > deepestNesting) return refuse(path, keyOffset, tooDeep);
    if (isScalar(node)) return fromScalar(node, path);
    if (isMap(node)) return fromMap(node.items, path);
    if (isSeq(node)) return node.items.map((item, index) => fromNode(item, startOf(item), [...path, index]));
    if (isAlias(node)) {
      // The token scan has reported it already.
      refused.add(JSON.stringify(path));
      return undefined;
    }
    return refuse(path, keyOffset, nothing);
  };

  return { value: fromNode(root, 0, []), problems, refused };
}

/** Offset of a node's first character; 0 when it has none. */
export function startOf(node: unknown): number {
  const range = typeof node === "object" && node !== null && "range" in node ? (node as Node).range : undefined;
  return range?.[0] ?? 0;
}

/** A pair's key as text; the parser has refused every key that is no scalar. */
export function keyText(pair: Pair): string {
  const { key } = pair;
  return isScalar(key) ? String(key.value) : "";
}
