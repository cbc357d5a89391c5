import type { JsonPath } from "./json-path.ts";
import { foldCase, NameTable, type NamePolicy } from "./key-names.ts";
import { conflictsAt, expectedContainer, type PlanConflict } from "./plan-conflicts.ts";
import {
  afterStep,
  documentPositions,
  isComplete,
  nextSegment,
  positionsKey,
  rootPositions,
  type PathPosition,
  type PlanPaths,
  type Positions,
  type Step,
} from "./plan-positions.ts";
import type { DocumentPlan, PlanGuide, RecordRule, StateFacts } from "./types.ts";

/** What a plan is compiled from. */
export interface PlanSource {
  /** Document selectors, from the body's root. */
  readonly documents: readonly JsonPath[];
  readonly fields: readonly JsonPath[];
  readonly record: RecordRule;
  /** Paths of the record's sources by index; `undefined` for those in the request's path. */
  readonly recordPaths: readonly (JsonPath | undefined)[];
  readonly names: NamePolicy;
}

/** A plan, and what is wrong with it: contradictions between its paths, fields that no document can hold. */
export interface CompiledPlan {
  readonly plan: DocumentPlan;
  readonly conflicts: readonly PlanConflict[];
  /** Indexes of fields that no value can meet. */
  readonly unreachable: readonly number[];
  /** The paths need more states than the bound: the plan must not be used. */
  readonly tooComplex: boolean;
}

const mostStates = 4096;
const mostDocumentsUp = 8;

interface State {
  readonly positions: Positions;
  readonly facts: StateFacts;
  names: NameTable | undefined;
  otherName: number;
  readonly indexes: Map<number, number>;
  otherIndex: number;
}

/**
 * Compiles paths into a deterministic automaton, whole and before its first use: a state is a set of positions in the paths,
 * so walking a body costs one table look-up per member however many paths there are. The number of states is bounded.
 */
export function compilePlan(source: PlanSource): CompiledPlan {
  const automaton = new Automaton(source);
  automaton.build();
  const met = new Set(automaton.states.map(({ facts }) => facts.field?.index));
  return {
    plan: Object.freeze({
      guide: automaton.guide(),
      facts: (state: number) => automaton.facts(state),
      record: source.record,
    }),
    conflicts: automaton.conflicts,
    unreachable: source.fields.flatMap((_, index) => (met.has(index) ? [] : [index])),
    tooComplex: automaton.tooComplex,
  };
}

const deadFacts: StateFacts = Object.freeze({
  document: false,
  arrayEntered: false,
  field: undefined,
  record: undefined,
  expects: undefined,
});

class Automaton {
  readonly states: State[] = [];
  readonly conflicts: PlanConflict[] = [];
  tooComplex = false;
  readonly #names: NamePolicy;
  readonly #paths: PlanPaths;
  readonly #byKey = new Map<string, number>();
  readonly #same: (a: string, b: string) => boolean;

  constructor(source: PlanSource) {
    this.#names = source.names;
    this.#paths = { document: source.documents, field: source.fields, record: source.recordPaths };
    this.#same = source.names === "ignoreCase" ? (a, b) => foldCase(a) === foldCase(b) : (a, b) => a === b;
    // State 0 is the dead one.
    this.#byKey.set("", 0);
    this.states.push(this.#newState({ list: [], document: false }));
  }

  build(): void {
    this.#stateOf(rootPositions(this.#paths));
    for (let at = 1; at < this.states.length && !this.tooComplex; at += 1) {
      const state = this.states[at];
      // Nothing below a field is walked: it is sealed and opened whole.
      if (state !== undefined && state.facts.field === undefined) this.#expand(state);
    }
  }

  facts(state: number): StateFacts {
    return this.states[state]?.facts ?? deadFacts;
  }

  guide(): PlanGuide {
    const { states } = this;
    return Object.freeze({
      root: Math.min(1, states.length - 1),
      member(state: number, bytes: Buffer, start: number, end: number, escaped: boolean): number {
        const from = states[state];
        if (from === undefined) return 0;
        const named = from.names === undefined ? -1 : from.names.find(bytes, start, end, escaped);
        return named === -1 ? from.otherName : named;
      },
      element(state: number, index: number): number {
        const from = states[state];
        if (from === undefined) return 0;
        return (from.indexes.size === 0 ? undefined : from.indexes.get(index)) ?? from.otherIndex;
      },
    });
  }

  #expand(state: State): void {
    const { names, indexes } = this.#expected(state.positions);
    state.otherName = this.#step(state, { kind: "member", name: undefined });
    state.otherIndex = this.#step(state, { kind: "element", index: undefined });
    const named = new Map([...names].map((name) => [name, this.#step(state, { kind: "member", name })]));
    if (named.size > 0) state.names = new NameTable(named, this.#names);
    for (const index of indexes) state.indexes.set(index, this.#step(state, { kind: "element", index }));
  }

  /** Names and indexes that lead elsewhere than all others do. */
  #expected(positions: Positions): { names: Set<string>; indexes: Set<number> } {
    const names = new Set<string>();
    const indexes = new Set<number>();
    const live: readonly PathPosition[] = positions.document
      ? [...positions.list, ...documentPositions(this.#paths)]
      : positions.list;
    for (const position of live) {
      const selector = nextSegment(this.#paths, position)?.selector;
      if (selector?.kind === "name") names.add(selector.name);
      if (selector?.kind === "index") indexes.add(selector.index);
    }
    return { names, indexes };
  }

  #step(state: State, step: Step): number {
    return this.#stateOf(afterStep(this.#paths, state.positions, step, this.#same));
  }

  #stateOf(positions: Positions): number {
    const key = positionsKey(positions);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.states.length >= mostStates || positions.list.some(({ documentsUp }) => documentsUp > mostDocumentsUp)) {
      this.tooComplex = true;
      return 0;
    }
    const number = this.states.length;
    this.#byKey.set(key, number);
    this.states.push(this.#newState(positions));
    this.conflicts.push(...conflictsAt(this.#paths, positions));
    return number;
  }

  #newState(positions: Positions): State {
    const complete = positions.list.filter((position) => isComplete(this.#paths, position));
    const hit = (kind: "field" | "record") => {
      const found = complete.find((position) => position.kind === kind);
      return found && Object.freeze({ index: found.index, documentsUp: found.documentsUp });
    };
    const expects = expectedContainer(this.#paths, positions);
    const facts = Object.freeze({
      document: positions.document,
      arrayEntered: positions.list.some((position) => this.#entersArray(position)),
      field: hit("field"),
      record: hit("record"),
      expects: expects === "conflict" ? "object" : expects,
    });
    return { positions, facts, names: undefined, otherName: 0, indexes: new Map(), otherIndex: 0 };
  }

  #entersArray(position: PathPosition): boolean {
    const selector = position.kind === "document" ? nextSegment(this.#paths, position)?.selector : undefined;
    return selector !== undefined && selector.kind !== "name";
  }
}
