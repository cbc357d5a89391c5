import { expect } from "chai";

import { dataContext, rootContext, type KmsContext } from "../../src/kms/context.ts";
import { failureCode } from "./failure-code.ts";
import { context, type KmsConformanceCase } from "./kms-bench.ts";

/** What a KEK owes whoever asks it, with nothing broken. */
export const contractCases: readonly KmsConformanceCase[] = [
  {
    name: "round trip",
    title: "gives back what it generated and what it wrapped",
    run: async (bench) => {
      const kms = await bench.open();
      const { plaintext, wrapped } = await kms.generate(context);
      expect(plaintext).to.have.length(32);
      expect(wrapped.length).to.be.within(1, 0xffff);
      expect(wrapped.includes(plaintext), "the key in clear in its wrap").to.equal(false);
      expect((await kms.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
      const own = Buffer.alloc(32, 7);
      const [one, two] = [await kms.wrap(own, context), await kms.wrap(own, context)];
      expect(own.equals(Buffer.alloc(32, 7)), "left as it is").to.equal(true);
      expect((await kms.unwrap(one, context)).equals(own)).to.equal(true);
      // By another process that has the same configuration.
      expect((await (await bench.openAnew()).unwrap(two, context)).equals(own)).to.equal(true);
      const again = await kms.generate(context);
      expect(again.plaintext.equals(plaintext)).to.equal(false);
      const root = await kms.generate(rootContext);
      expect((await kms.unwrap(root.wrapped, rootContext)).equals(root.plaintext)).to.equal(true);
    },
  },
  {
    name: "rewrap",
    title: "wraps the same key anew, under its own context only",
    run: async (bench) => {
      const kms = await bench.open();
      const { plaintext, wrapped } = await kms.generate(context);
      const anew = await kms.rewrap(wrapped, context);
      expect((await kms.unwrap(anew, context)).equals(plaintext)).to.equal(true);
      expect((await kms.unwrap(wrapped, context)).equals(plaintext), "the old wrap").to.equal(true);
      const other = dataContext({ tenant: "t2", dataset: "patients" });
      await bench.expectRefused(() => kms.unwrap(anew, other), "the new wrap, another context");
      // Services that cannot tell while they rewrap give bytes that then open nowhere but where they did.
      const moved = await kms.rewrap(wrapped, other).catch(() => undefined);
      if (moved !== undefined) await bench.expectRefused(() => kms.unwrap(moved, other), "moved by a rewrap");
    },
  },
  {
    name: "rewrap to a new version",
    title: "opens old wraps after the KEK has a new version, and moves them to it",
    run: async (bench) => {
      const kms = await bench.open();
      const { plaintext, wrapped } = await kms.generate(context);
      await bench.stage.rotate?.();
      expect((await kms.unwrap(wrapped, context)).equals(plaintext), "old wrap").to.equal(true);
      const anew = await kms.rewrap(wrapped, context);
      expect(anew.equals(wrapped)).to.equal(false);
      expect((await kms.unwrap(anew, context)).equals(plaintext), "new wrap").to.equal(true);
    },
  },
  {
    name: "context bound",
    title: "opens a key under its own context and no other",
    run: async (bench) => {
      const kms = await bench.open();
      const { plaintext, wrapped } = await kms.generate(context);
      const others: readonly KmsContext[] = [
        dataContext({ tenant: "t2", dataset: "patients" }),
        dataContext({ tenant: "t1", dataset: "people" }),
        dataContext({ tenant: "patients", dataset: "t1" }),
        dataContext({ tenant: "t1" }),
        dataContext({ dataset: "patients" }),
        dataContext({}),
        rootContext,
      ];
      for (const other of others) await bench.expectRefused(() => kms.unwrap(wrapped, other), JSON.stringify(other));
      const swapped = Object.fromEntries(Object.entries(context).reverse());
      expect((await kms.unwrap(wrapped, swapped)).equals(plaintext), "order of members").to.equal(true);
    },
  },
  {
    name: "contexts that join to one text",
    title: "E-02: keeps contexts apart that join to one text",
    run: async (bench) => {
      const kms = await bench.open();
      const pairs: readonly (readonly [KmsContext, KmsContext])[] = [
        [dataContext({ tenant: "a.b", dataset: "c" }), dataContext({ tenant: "a", dataset: "b.c" })],
        [dataContext({ tenant: "a", dataset: "patients" }), dataContext({ tenant: "a-patients" })],
        [dataContext({ tenant: "a_b" }), dataContext({ tenant: "a-b" })],
        [dataContext({ tenant: "A" }), dataContext({ tenant: "a" })],
        [dataContext({ tenant: "root" }), rootContext],
      ];
      for (const [one, two] of pairs) {
        const { wrapped } = await kms.generate(one);
        await bench.expectRefused(() => kms.unwrap(wrapped, two), `${JSON.stringify(one)} as ${JSON.stringify(two)}`);
      }
    },
  },
  {
    name: "another key",
    title: "takes no key for its own that another KEK wrapped",
    run: async (bench) => {
      const [kms, other] = [await bench.open(), await bench.open(bench.stage.otherKek)];
      const { plaintext, wrapped } = await other.generate(context);
      await bench.expectRefused(() => kms.unwrap(wrapped, context), "unwrap");
      await bench.expectRefused(() => kms.rewrap(wrapped, context), "rewrap");
      expect((await other.unwrap(wrapped, context)).equals(plaintext)).to.equal(true);
    },
  },
  {
    name: "tampered",
    title: "opens nothing of which a bit was turned",
    run: async (bench) => {
      const kms = await bench.open();
      const { wrapped } = await kms.generate(context);
      for (const index of samplesOf(wrapped.length)) {
        const changed = Buffer.from(wrapped);
        changed.writeUInt8(changed.readUInt8(index) ^ 0x01, index);
        await bench.expectRefused(() => kms.unwrap(changed, context), `byte ${index} of ${wrapped.length}`);
      }
    },
  },
  {
    name: "cut, empty, far too long",
    title: "opens nothing that was cut, is empty or far too long",
    run: async (bench) => {
      const kms = await bench.open();
      const { wrapped } = await kms.generate(context);
      for (const length of samplesOf(wrapped.length).slice(0, -1))
        await bench.expectRefused(() => kms.unwrap(wrapped.subarray(0, length), context), `cut at ${length}`);
      await bench.expectRefused(() => kms.unwrap(wrapped.subarray(0, -1), context), "the last byte gone");
      await bench.expectRefused(() => kms.unwrap(Buffer.concat([wrapped, Buffer.alloc(1)]), context), "a byte more");
      await bench.expectRefused(() => kms.unwrap(Buffer.alloc(0), context), "empty");
      await bench.expectRefused(() => kms.unwrap(Buffer.alloc(65_536, 1), context), "64 KiB");
    },
  },
  {
    name: "50 at once",
    title: "answers fifty at once, each with its own",
    run: async (bench) => {
      const kms = await bench.open();
      const made = await Promise.all(Array.from({ length: 50 }, () => kms.generate(context)));
      const back = await Promise.all(made.map(({ wrapped }) => kms.unwrap(wrapped, context)));
      expect(back.map((key, index) => made[index]?.plaintext.equals(key))).to.deep.equal(Array(50).fill(true));
      expect(new Set(made.map(({ plaintext }) => plaintext.toString("hex"))).size).to.equal(50);
    },
  },
  {
    name: "closed",
    title: "does nothing once closed",
    run: async (bench) => {
      const kms = await bench.openAnew();
      const { wrapped } = await kms.generate(context);
      await kms.close();
      await kms.close();
      const before = bench.stage.front?.requests;
      const calls = [
        () => kms.generate(context),
        () => kms.unwrap(wrapped, context),
        () => kms.wrap(Buffer.alloc(32, 1), context),
        () => kms.rewrap(wrapped, context),
      ];
      for (const call of calls) expect(await failureCode(call)).to.equal("kms_unavailable");
      expect(bench.stage.front?.requests, "requests").to.equal(before);
    },
  },
  {
    name: "keys are owned buffers",
    title: "hands out keys that share their memory with nothing",
    run: async (bench) => {
      const kms = await bench.open();
      const { plaintext, wrapped } = await kms.generate(context);
      const back = await kms.unwrap(wrapped, context);
      for (const key of [plaintext, back]) expect(key.buffer.byteLength, "bytes of the memory").to.equal(32);
      plaintext.fill(0);
      expect(back.equals(plaintext), "the other copy").to.equal(false);
    },
  },
];

/** Both ends whole and a sample of what is between. */
function samplesOf(length: number): readonly number[] {
  const step = Math.max(1, Math.floor(length / 24));
  return Array.from({ length }, (_, index) => index).filter(
    (index) => index < 4 || index >= length - 2 || index % step === 0,
  );
}
