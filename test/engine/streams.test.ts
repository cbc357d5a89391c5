import { expect } from "chai";
import fc from "fast-check";
import { parseSealedValue } from "../../src/crypto/sealed-value.ts";
import { storedRoute } from "../../src/fieldmap/stored-route.ts";
import { SealwrightError } from "../../src/base/sealwright-error.ts";
import { failureCode, failureOf } from "../rig/failure-code.ts";
import { MemoryKeys } from "../rig/memory-keys.ts";
import { mapOf, runStream, type StreamRun } from "../rig/stream-rig.ts";
import { patientsMap } from "./patients.ts";

const map = mapOf(patientsMap);

/** Members that no field names; spellings that a parser would not keep. */
const oddities = fc.constantFrom(
  '"n":1.50',
  '"e":1E+2',
  '"u":"\\u00e9\\/"',
  '"o":{"ssn":"inner is not mapped"}',
  '"a":[ 1 ,2]',
  '"s":"swr1.x"',
);
const values = fc.constantFrom('"078-05-1120"', "null", "12.50", '{"a":[1, 2]}', '"\\u0073wr"', "true", '"é€😀"');

/** A document with its own spelling, on one line. */
const documents = fc
  .record({
    id: fc.integer({ min: 1, max: 9999 }),
    ssn: fc.option(values),
    notes: fc.option(values),
    email: fc.option(fc.constantFrom('"a@b.c"', '"x@y.z"', "null")),
    phones: fc.array(values, { maxLength: 3 }),
    more: oddities,
    idLast: fc.boolean(),
    space: fc.constantFrom("", " ", "\t", "  "),
  })
  .map(({ id, ssn, notes, email, phones, more, idLast, space }) => {
    const members = [
      ...(ssn === null ? [] : [`"ssn":${space}${ssn}`]),
      ...(notes === null ? [] : [`"notes"${space}:${notes}`]),
      ...(email === null ? [] : [`"email":${email}`]),
      `"contacts":[${phones.map((phone) => `{"phone":${phone}}`).join(`,${space}`)}]`,
      more,
    ];
    const all = idLast ? [...members, `"_id":"${id}"`] : [`"_id":"${id}"`, ...members];
    return `{${space}${all.join(`,${space}`)}}`;
  });

const lineEnds = fc.constantFrom("\n", "\r\n", "\n\n", "\n \t\r\n");
const ndjson = fc
  .tuple(fc.array(fc.tuple(documents, lineEnds), { maxLength: 8 }), fc.option(documents))
  .map(([lines, last]) => Buffer.from(lines.map(([line, end]) => line + end).join("") + (last ?? "")));

interface JsonTextCase {
  readonly text: Buffer;
  readonly selector: string;
}

const jsonTexts: fc.Arbitrary<JsonTextCase> = fc
  .tuple(fc.array(documents, { minLength: 1, maxLength: 8 }), fc.constantFrom(",", ", ", ",\n"), fc.boolean())
  .map(([list, comma, wrapped]) =>
    wrapped
      ? { text: Buffer.from(`{"total":1, "docs":[${list.join(comma)}],"ssn":0}\n`), selector: "$.docs[*]" }
      : { text: Buffer.from(`\n[ ${list.join(comma)} ]`), selector: "$[*]" },
  );

/** Suite 2 seals strings in one spelling; the documents here spell them so. */
const chunks = fc.integer({ min: 1, max: 300 });

async function back(input: Buffer, run: StreamRun, sealRun: StreamRun = run): Promise<void> {
  const keys = new MemoryKeys();
  const sealed = await runStream("seal", { map, keys }, input, sealRun);
  const opened = await runStream("open", { map, keys }, sealed.bytes, run);
  expect(opened.bytes.toString()).to.equal(input.toString());
  expect(keys.lent).to.equal(0);
}

describe("streams of stored documents", () => {
  it("seal and open lines to the same bytes, however they are cut", () =>
    fc.assert(
      fc.asyncProperty(ndjson, chunks, chunks, (input, cut, another) =>
        back(input, { chunkBytes: cut }, { chunkBytes: another }),
      ),
      { numRuns: 80 },
    ));

  it("seal and open the documents of one JSON text to the same bytes, however it is cut", () =>
    fc.assert(
      fc.asyncProperty(jsonTexts, chunks, chunks, ({ text, selector }, cut, another) => {
        const run = { framing: "document" as const, documents: [selector] };
        return back(text, { ...run, chunkBytes: cut }, { ...run, chunkBytes: another });
      }),
      { numRuns: 80 },
    ));

  it("go on from any mark as if they had never stopped", () =>
    fc.assert(
      fc.asyncProperty(ndjson, jsonTexts, chunks, async (lines, { text, selector }, chunkBytes) => {
        const keys = new MemoryKeys();
        const layouts: readonly (readonly [Buffer, StreamRun])[] = [
          [lines, { chunkBytes }],
          [text, { framing: "document", documents: [selector], chunkBytes }],
        ];
        for (const [input, run] of layouts) {
          const sealed = (await runStream("seal", { map, keys }, input, run)).bytes;
          const whole = await runStream("open", { map, keys }, sealed, run);
          for (const { mark, left } of whole.marks) expect(mark.output).to.be.at.most(left);
          for (const mark of new Map(whole.marks.map((each) => [each.mark.input, each.mark])).values()) {
            const rest = await runStream("open", { map, keys }, sealed, { ...run, start: mark });
            const joined = Buffer.concat([whole.bytes.subarray(0, mark.output), rest.bytes]);
            expect(joined.toString()).to.equal(input.toString());
            expect(rest.marks.at(-1)?.mark).to.deep.equal(whole.marks.at(-1)?.mark);
          }
        }
      }),
      { numRuns: 40 },
    ));

  it("mark the end of the last document, and count documents and lines", async () => {
    const keys = new MemoryKeys();
    const input = Buffer.from('{"_id":"1"}\r\n\n{"_id":"2","ssn":1}');
    const { bytes, marks } = await runStream("seal", { map, keys }, input);
    const end = { input: input.length, output: bytes.length, documents: 2, lines: 3 };
    expect(marks.at(-1)?.mark).to.deep.equal(end);
  });

  describe("sealed anew", () => {
    /** Two generations: `second` opens what `first` sealed, and seals under keys of its own. */
    class TwoGenerations extends MemoryKeys {
      readonly former: MemoryKeys;
      constructor(former: MemoryKeys) {
        super();
        this.former = former;
      }
      override opener(...[reference, scope]: Parameters<MemoryKeys["opener"]>): ReturnType<MemoryKeys["opener"]> {
        try {
          return this.former.opener(reference, scope);
        } catch {
          return super.opener(reference, scope);
        }
      }
    }

    const keyOf = (token: string): string => {
      const key = parseSealedValue(token)?.key;
      return key?.form === "keyring" ? key.shortId.toString("hex") : "";
    };
    const tokens = (bytes: Buffer): readonly string[] => bytes.toString().match(/swr1\.[A-Za-z0-9_-]{20,}/g) ?? [];
    const without = (bytes: Buffer): string => bytes.toString().replaceAll(/swr1\.[A-Za-z0-9_-]{20,}/g, "*");

    it("change what is under another key and no other byte, and open to the same", () =>
      fc.assert(
        fc.asyncProperty(ndjson, chunks, async (input, chunkBytes) => {
          const [first, second] = [new MemoryKeys(), new MemoryKeys()];
          const keys = new TwoGenerations(first);
          const sealed = (await runStream("seal", { map, keys: first }, input)).bytes;
          const resealed = (await runStream("reseal", { map, keys }, sealed, { chunkBytes })).bytes;
          expect(without(resealed)).to.equal(without(sealed));
          const olds = new Set(tokens(sealed).map(keyOf));
          for (const token of tokens(resealed)) expect(olds.has(keyOf(token))).to.equal(false);
          const again = (await runStream("reseal", { map, keys }, resealed, { chunkBytes })).bytes;
          expect(again.equals(resealed)).to.equal(true);
          const opened = await runStream("open", { map, keys }, resealed, {});
          expect(opened.bytes.toString()).to.equal(input.toString());
          expect([first.lent, second.lent, keys.lent]).to.deep.equal([0, 0, 0]);
        }),
        { numRuns: 60 },
      ));

    it("keep what they were bound to, clear values and equality", async () => {
      const first = new MemoryKeys();
      const keys = new TwoGenerations(first);
      const line = '{"_id":"1","ssn":"a","email":"x@y.z"}\n';
      const unbound = await runStream("seal", { map, keys: first }, Buffer.from(line), { record: "none" });
      const bound = await runStream("seal", { map, keys: first }, Buffer.from(line));
      const input = Buffer.concat([
        unbound.bytes,
        bound.bytes,
        Buffer.from('{"_id":"1","ssn":"clear","email":null}\n'),
      ]);
      const { bytes } = await runStream("reseal", { map, keys }, input, { clearValues: "pass" });
      const after = tokens(bytes).map((token) => parseSealedValue(token));
      expect(after.map((value) => [value?.suite, value?.recordBound])).to.deep.equal([
        [1, false],
        [2, false],
        [1, true],
        [2, false],
      ]);
      expect(tokens(bytes)[1]).to.equal(tokens(bytes)[3]);
      expect(bytes.toString()).to.include('"clear"');
    });
  });

  describe("refuse, with the line", () => {
    const good = '{"_id":"1"}\n';
    const refused: readonly (readonly [what: string, line: Buffer, code: string])[] = [
      ["broken JSON", Buffer.from('{"_id":"1",\n'), "json_invalid"],
      ["two documents on one line", Buffer.from("{} {}\n"), "json_invalid"],
      ["invalid UTF-8", Buffer.from('{"a":"\xff"}\n', "latin1"), "json_encoding"],
      ["a name twice", Buffer.from('{"_id":"1","ssn":1,"ssn":2}\n'), "duplicate_key"],
      ["no record", Buffer.from('{"ssn":1}\n'), "record_missing"],
      ["a byte order mark", Buffer.from('\ufeff{"_id":"1"}\n'), "json_invalid"],
      [
        "a value that is sealed already",
        Buffer.from(`{"_id":"1","ssn":"swr1.AQ${"A".repeat(80)}"}\n`),
        "already_sealed",
      ],
    ];
    for (const [what, line, code] of refused)
      it(what, async () => {
        const input = Buffer.concat([Buffer.from(good.repeat(9_999)), line, Buffer.from(good)]);
        const error = await failureOf(() => runStream("seal", { map, keys: new MemoryKeys() }, input));
        expect([error.code, error.facts.line]).to.deep.equal([code, 10_000]);
      });

    it("a line longer than 64 MiB, without holding more of it", async () => {
      const piece = Buffer.alloc(1024 * 1024, " ");
      const input = Buffer.concat([Buffer.from(`${good}[`), ...Array.from({ length: 100 }, () => piece)]);
      const error = await failureOf(() => runStream("seal", { map, keys: new MemoryKeys() }, input));
      expect([error.code, error.facts.line]).to.deep.equal(["body_too_large", 2]);
    });
  });

  describe("of what cannot be opened", () => {
    const sealedLines = async (keys: MemoryKeys): Promise<Buffer> =>
      (await runStream("seal", { map, keys }, Buffer.from('{"_id":"1","ssn":"a","notes":"b"}\n'))).bytes;

    it("refuse it by default, clear values too", async () => {
      const keys = new MemoryKeys();
      const moved = Buffer.from((await sealedLines(keys)).toString().replace('"_id":"1"', '"_id":"2"'));
      const error = await failureOf(() => runStream("open", { map, keys }, moved));
      expect([error.code, error.facts.line, error.facts.field]).to.deep.equal(["open_failed", 1, "ssn"]);
      for (const clear of ['{"_id":"1","ssn":"clear"}', '{"_id":"1","ssn":1}'])
        expect(await failureCode(() => runStream("open", { map, keys }, Buffer.from(clear)))).to.equal("open_failed");
    });

    it("keep what they are told to keep, hear of each, and go on", async () => {
      const keys = new MemoryKeys();
      const sealed = (await sealedLines(keys)).toString();
      const moved = sealed.replace('"_id":"1"', '"_id":"2"');
      const broken = '{"_id":\n';
      const input = Buffer.from(moved + broken + '{"_id":"3","ssn":1,"notes":"clear"}\n' + sealed);
      for (const task of ["open", "reseal"] as const) {
        const heard: SealwrightError[] = [];
        const keepFailed = (error: SealwrightError): boolean => heard.push(error) > 0;
        const { bytes } = await runStream(task, { map, keys }, input, { keepFailed, record: ["$._id"] });
        const lines = bytes.toString().split("\n");
        expect(lines.slice(0, 3).join("\n")).to.equal(input.toString().split("\n").slice(0, 3).join("\n"));
        expect(heard.map(({ code }) => code)).to.deep.equal([
          ...(task === "open" ? ["open_failed", "open_failed"] : []),
          "json_invalid",
          "open_failed",
          "open_failed",
        ]);
        expect(lines[3]).to.equal(task === "open" ? '{"_id":"1","ssn":"a","notes":"b"}' : sealed.trimEnd());
      }
    });

    it("never go on without the key service", async () => {
      const keys = new MemoryKeys();
      const sealed = await sealedLines(keys);
      keys.failure = new SealwrightError("kms_unavailable");
      const keepFailed = (): boolean => true;
      expect(await failureCode(() => runStream("open", { map, keys }, sealed, { keepFailed }))).to.equal(
        "kms_unavailable",
      );
    });
  });

  describe("stored route", () => {
    const byPath = mapOf(
      patientsMap
        .replace("record: [ { path: id }, $._id ]", "record: [ { path: id } ]")
        .replaceAll(/^ {2}- \{ match: \{ methods: \[POST\].*\n/gm, ""),
    );
    const stored = (more: object): (() => unknown) => {
      return () => storedRoute(byPath, { documents: ["$"], clearValues: "refuse", ...more });
    };

    it("wants a record source where the map takes it from the request's path", async () => {
      expect(await failureCode(stored({}))).to.equal("usage");
      for (const record of ["none", ["$.id"]]) stored({ record })();
    });

    it("refuses selectors that are none or do not fit the map", async () => {
      for (const more of [{ documents: ["$["] }, { record: ["$[*]"] }, { record: ["$.ssn"] }, { record: ["id"] }])
        expect(await failureCode(stored({ record: "none", ...more }))).to.equal("usage");
    });
  });
});
