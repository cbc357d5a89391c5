import { expect } from "chai";
import { KeyringMac } from "../../src/keys/keyring/keyring-mac.ts";
import { hasCode } from "../../src/base/sealwright-error.ts";
import { parseKeyringFile, printKeyringFile, type KeyringFile } from "../../src/keys/keyring/keyring-file.ts";
import { failureCode } from "../rig/failure-code.ts";
import { keyringVectors } from "../rig/keyring-vectors.ts";

const macOf = (root: string): KeyringMac => new KeyringMac(Buffer.from(root, "hex"));

/** Every file that differs from `value` in one leaf, one removed member or item, or one exchanged pair of neighbours. */
function* changes(value: unknown): Generator {
  if (typeof value === "string") {
    yield `${value}x`;
    yield value.slice(1);
    yield value.startsWith("a") ? `b${value.slice(1)}` : `a${value.slice(1)}`;
  } else if (typeof value === "number") {
    yield value + 1;
    yield value - 1;
  } else if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    for (const [index, item] of items.entries()) {
      yield items.toSpliced(index, 1);
      if (index > 0) yield items.toSpliced(index - 1, 2, item, items[index - 1]);
      for (const changed of changes(item)) yield items.with(index, changed);
    }
    yield [...items, "x"];
  } else if (typeof value === "object" && value !== null) {
    const members = value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(members)) {
      yield Object.fromEntries(Object.entries(members).filter(([other]) => other !== name));
      for (const changed of changes(members[name])) yield { ...members, [name]: changed };
    }
    yield { ...members, note: "x" };
  }
}

/** What a reader gets out of `bytes`, `undefined` when they are refused by one of the keyring's own codes. */
function verified(mac: KeyringMac, bytes: Buffer): KeyringFile | undefined {
  try {
    const file = parseKeyringFile(bytes);
    mac.verify(file);
    return file;
  } catch (error) {
    if (hasCode(error, "keyring_invalid", "keyring_forged")) return undefined;
    throw error;
  }
}

describe("keyring MAC", () => {
  it("verifies the files that an independent implementation wrote, and makes the same code", () => {
    const vectors = keyringVectors();
    expect(vectors).to.have.length(4);
    for (const { root, file } of vectors) {
      const mac = macOf(root);
      expect(mac.rootId).to.equal(file.root.id);
      mac.verify(file);
      const { mac: code, ...content } = file;
      expect(mac.sign(content).mac).to.equal(code);
    }
  });

  it("does not depend on the order of members", () => {
    const { root, file } = keyringVectors()[0]!;
    macOf(root).verify(Object.fromEntries(Object.entries(file).reverse()) as unknown as KeyringFile);
  });

  it("verifies no file after any one change", async () => {
    let count = 0;
    for (const { root, file } of keyringVectors()) {
      const mac = macOf(root);
      const { mac: code, ...content } = file;
      for (const changed of changes(content)) {
        // Without a root it is no keyring file at all.
        if (!("root" in (changed as KeyringFile))) continue;
        count += 1;
        const forged = { ...(changed as KeyringFile), mac: code };
        expect(await failureCode(() => mac.verify(forged)), JSON.stringify(changed).slice(0, 200)).to.equal(
          "keyring_forged",
        );
      }
      for (const changed of changes(code)) {
        const forged = { ...file, mac: changed as string };
        expect(await failureCode(() => mac.verify(forged))).to.equal("keyring_forged");
      }
    }
    expect(count).to.be.greaterThan(500);
  });

  it("verifies no file after a change of any one bit, unless it is the same file in other white space", () => {
    const { root, file } = keyringVectors()[2]!;
    const mac = macOf(root);
    const bytes = Buffer.from(printKeyringFile(file));
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const read = verified(mac, changed);
      if (read !== undefined) expect(read, `bit ${bit}`).to.deep.equal(file);
    }
  });

  it("verifies no file in which two entries have swapped their wraps", async () => {
    let count = 0;
    for (const { root, file } of keyringVectors()) {
      const mac = macOf(root);
      for (const [first, second] of file.entries
        .slice(1)
        .map((entry, index) => [file.entries[index]!, entry] as const)) {
        const swapped = file.entries.map((entry) =>
          entry === first
            ? { ...entry, wraps: second.wraps }
            : entry === second
              ? { ...entry, wraps: first.wraps }
              : entry,
        );
        expect(await failureCode(() => mac.verify({ ...file, entries: swapped }))).to.equal("keyring_forged");
        count += 1;
      }
    }
    expect(count).to.be.greaterThan(0);
  });

  it("verifies nothing under another root", async () => {
    const [first, second] = keyringVectors();
    expect(await failureCode(() => macOf(second!.root).verify(first!.file))).to.equal("keyring_forged");
    const renamed = { ...first!.file, root: { ...first!.file.root, id: second!.file.root.id } };
    expect(await failureCode(() => macOf(second!.root).verify(renamed))).to.equal("keyring_forged");
  });

  it("M-07: takes the root's bytes away, and its own key in the end", async () => {
    const { root, file } = keyringVectors()[0]!;
    const bytes = Buffer.from(root, "hex");
    const mac = new KeyringMac(bytes);
    expect(bytes.equals(Buffer.alloc(32))).to.equal(true);
    mac.verify(file);
    mac.end();
    expect(await failureCode(() => mac.verify(file))).to.equal("internal");
    expect(await failureCode(() => mac.sign(file))).to.equal("internal");
  });
});
