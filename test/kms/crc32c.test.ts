import { expect } from "chai";
import fc from "fast-check";
import { crc32c } from "../../src/kms/gcp/crc32c.ts";
import { bitwiseCrc32c } from "../rig/gcp-fake-key.ts";

describe("CRC-32C", () => {
  const known: readonly (readonly [string, Buffer, number])[] = [
    ["nothing", Buffer.alloc(0), 0],
    ["the check value of the catalogue", Buffer.from("123456789"), 0xe3069283],
    ["32 zeros (RFC 3720)", Buffer.alloc(32), 0x8a9136aa],
    ["32 ones (RFC 3720)", Buffer.alloc(32, 0xff), 0x62a8ab43],
    ["32 rising bytes (RFC 3720)", Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    ["32 falling bytes (RFC 3720)", Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
  ];
  for (const [what, bytes, checksum] of known) it(`of ${what}`, () => expect(crc32c(bytes)).to.equal(checksum));

  it("agrees with the definition, bit by bit", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => crc32c(bytes) === bitwiseCrc32c(bytes)));
  });
});
