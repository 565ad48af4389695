/**
 * CRC-32C (Castagnoli), reflected: what Google's services protect values with on the way. node:zlib has another
 * polynomial.
 */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ ((sum & 1) === 1 ? 0x82f63b78 : 0);
  return sum;
});

/** The CRC-32C of the bytes, as an unsigned number; of "123456789" it is 0xe3069283. */
export function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (table[(sum ^ byte) & 0xff] ?? 0);
  return (sum ^ 0xffffffff) >>> 0;
}
