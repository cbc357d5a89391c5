import { expect } from "chai";
import { oneSpelling } from "../../src/keys/keyring/one-spelling.ts";

const read = (text: string | Buffer) => oneSpelling(Buffer.from(text));

describe("JSON in one spelling", () => {
  it("may have any white space between tokens, and any inside strings", () => {
    expect(read('\n{ "a" :\t[ 1 , "x y\\n" ] }\r\n')?.value).to.deep.equal({ a: [1, "x y\n"] });
  });

  const bad: Readonly<Record<string, string | Buffer>> = {
    "a member twice": '{"a":1,"a":1}',
    "a member twice, once escaped": '{"a":1,"\\u0061":1}',
    "an escape that is not needed": '{"a":"\\u0062"}',
    "a solidus escape": '{"a":"\\/"}',
    "upper-case escape digits": '{"a":"\\u001F"}',
    "a number spelled otherwise": '{"a":1.0}',
    "an exponent": '{"a":1e1}',
    "minus zero": '{"a":-0}',
    "a number no double holds": '{"a":9007199254740993}',
    "members that a reader would reorder": '{"2":1,"1":1}',
    "a byte order mark": "\ufeff{}",
    "invalid UTF-8": Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
    "two values": "{}{}",
    "a comment": "{}//",
    "a trailing comma": "[1,]",
    nothing: "",
  };
  for (const [what, text] of Object.entries(bad)) {
    it(`has not: ${what}`, () => {
      expect(read(text)).to.equal(undefined);
    });
  }
});
