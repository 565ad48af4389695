import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { Choice } from './seeded.ts';

/** What is done to the bytes of an object: `text` is what it would have held. */
export type BadEncoding = (text: Buffer, choice: Choice, parquet: Buffer) => Buffer;

/** Ways to pack an object that a reader may trip over. The first two leave it whole. */
export const badEncodings: readonly BadEncoding[] = [
  (text) => text,
  (text) => gzipSync(text),
  (text) => gzipSync(gzipSync(text)),
  (text, choice) => cut(gzipSync(text), choice),
  (text, choice) => flipped(gzipSync(text), choice),
  (text) => Buffer.concat([gzipSync(text), Buffer.from('trailing garbage')]),
  (text) => lying(gzipSync(text)),
  (text) => Buffer.concat([...Array.from({ length: 200 }, () => gzipSync('')), gzipSync(text)]),
  (text) => Buffer.concat([Buffer.from('\ufeff'), text]),
  (text) => Buffer.from(`\ufeff${text.toString('latin1')}`, 'utf16le'),
  (text) => Buffer.from(text.toString('latin1'), 'utf16le').swap16(),
  (text) => Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), text]),
  (text) => Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), text]),
  (text) => deflateSync(text),
  (text) => deflateRawSync(text),
  (text) => Buffer.concat([Buffer.from([0x1f, 0x8b]), text]),
  (text) => Buffer.concat([Buffer.from('PAR1'), text, Buffer.from('PAR1')]),
  (text, choice) => Buffer.concat([Buffer.from('PAR1'), text.subarray(0, 40), footer(choice), Buffer.from('PAR1')]),
  (_text, choice, parquet) => cut(parquet, choice),
  (_text, choice, parquet) => flipped(parquet, choice),
  (_text, choice, parquet) => flippedFooter(parquet, choice),
  (_text, choice, parquet) => flippedFooter(parquet, choice),
  (text, choice) => Buffer.concat([text, Buffer.alloc(choice.below(5_000))]),
  (text, choice) => Buffer.from(text.map((byte) => (choice.once(200) ? choice.below(256) : byte))),
  (text, choice) => gzipSync(Buffer.concat([text, Buffer.alloc(choice.rarely(1_000_000), 'a')])),
];

function cut(bytes: Buffer, choice: Choice): Buffer {
  return bytes.subarray(0, choice.below(bytes.length));
}

function flipped(bytes: Buffer, choice: Choice): Buffer {
  const copy = Buffer.from(bytes);
  for (let n = 0; n <= choice.below(4); n += 1) copy[choice.below(copy.length)] = choice.below(256);
  return copy;
}

/** Parquet says at its end what is in it. */
function flippedFooter(bytes: Buffer, choice: Choice): Buffer {
  const copy = Buffer.from(bytes);
  const length = copy.readUInt32LE(copy.length - 8);
  for (let n = 0; n <= choice.below(3); n += 1)
    copy[copy.length - 8 - choice.below(Math.min(length, copy.length - 8)) - 1] = choice.of([
      0,
      1,
      127,
      128,
      255,
      choice.below(256),
    ]);
  return copy;
}

function footer(choice: Choice): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(choice.of([0, 1, 4, 40, 0x7fffffff, 0xffffffff]));
  return length;
}

/** The length at the end of gzip is a lie. */
function lying(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(7, copy.length - 4);
  return copy;
}
