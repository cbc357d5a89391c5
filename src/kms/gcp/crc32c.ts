/** Castagnoli's polynomial, bits reversed; the CRC-32 of node:zlib is another. */
const polynomial = 0x82f63b78;

const table: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit += 1) remainder = (remainder >>> 1) ^ ((remainder & 1) === 1 ? polynomial : 0);
  return remainder;
});

/** CRC-32C of `bytes` (RFC 3720 appendix B.4): tells bytes that were damaged on their way, never ones that were forged. */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = (remainder >>> 8) ^ (table[(remainder ^ byte) & 0xff] ?? 0);
  return (remainder ^ 0xffffffff) >>> 0;
}
