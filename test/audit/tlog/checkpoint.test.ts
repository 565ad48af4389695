import { fc } from '../../properties.ts';
import { describe, expect, test } from '@jest/globals';
import { checkOrigin, formatCheckpoint, parseCheckpoint } from '../../../shared/audit/tlog/checkpoint.ts';
import {
  cosignedText,
  formatCosignature,
  parseCosignature,
  verifyCosignature,
} from '../../../shared/audit/tlog/cosignature.ts';
import { emptyRoot } from '../../../shared/audit/tlog/merkle.ts';
import { parseNote } from '../../../shared/audit/tlog/note.ts';
import { memorySigner } from '../../../shared/signers/memory.ts';
import { publicCheckpoint } from './known-notes.ts';

const invalid: unknown = expect.objectContaining({ code: 'invalid' });
const emptyRootText = Buffer.from(emptyRoot).toString('base64');

describe('a checkpoint', () => {
  test('of a public log is read and written as it is', () => {
    const { text } = parseNote(publicCheckpoint);
    const checkpoint = parseCheckpoint(text);
    expect(checkpoint).toMatchObject({
      origin: 'arche2025h1.staging.ct.transparency.dev',
      size: 1_432_088_532,
      extensions: [],
    });
    expect(formatCheckpoint(checkpoint)).toBe(text);
  });

  test('is read as it was written', () => {
    const origins = fc.stringMatching(/^[a-z0-9./:ü-]{1,40}$/);
    const allExtensions = fc.array(fc.stringMatching(/^[^\n]{1,20}$/), { maxLength: 3 });
    fc.assert(
      fc.property(
        origins,
        fc.maxSafeNat(),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        allExtensions,
        (origin, size, root, extensions) => {
          expect(parseCheckpoint(formatCheckpoint({ origin, size, root, extensions }))).toEqual({
            origin,
            size,
            root,
            extensions,
          });
        },
      ),
    );
  });

  test('may have further lines', () => {
    expect(parseCheckpoint(`log\n0\n${emptyRootText}\nmore\nand more\n`).extensions).toEqual(['more', 'and more']);
  });

  test.each([
    ['nothing', ''],
    ['two lines', 'log\n0\n'],
    ['no newline at the end', `log\n0\n${emptyRootText}`],
    ['an empty line', `log\n0\n${emptyRootText}\n\n`],
    ['an empty line between', `log\n\n0\n${emptyRootText}\n`],
    ['no origin', `\n0\n${emptyRootText}\n`],
    ['an origin with a space', `a log\n0\n${emptyRootText}\n`],
    ['a leading zero', `log\n01\n${emptyRootText}\n`],
    ['a sign', `log\n+1\n${emptyRootText}\n`],
    ['a negative size', `log\n-1\n${emptyRootText}\n`],
    ['a size with a fraction', `log\n1.0\n${emptyRootText}\n`],
    ['a size with an exponent', `log\n1e3\n${emptyRootText}\n`],
    ['a size after a space', `log\n 1\n${emptyRootText}\n`],
    ['a size in other digits', `log\n١\n${emptyRootText}\n`],
    ['a size that no number holds exactly', `log\n9007199254740992\n${emptyRootText}\n`],
    ['a root of 31 bytes', `log\n0\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root of 33 bytes', `log\n0\n${Buffer.alloc(33).toString('base64')}\n`],
    ['a root without padding', `log\n0\n${emptyRootText.replace('=', '')}\n`],
    ['a root with bits left over', `log\n0\n${emptyRootText.replace('U=', 'V=')}\n`],
    ['a root in hex', `log\n0\n${Buffer.from(emptyRoot).toString('hex')}\n`],
    ['carriage returns', `log\r\n0\r\n${emptyRootText}\r\n`],
  ])('with %s is refused', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(invalid);
  });

  test('that could not be read is not written', () => {
    const good = { origin: 'log', size: 1, root: emptyRoot, extensions: [] };
    const bad = [
      { origin: 'a b' },
      { origin: 'a\nb' },
      { size: -1 },
      { size: 0.5 },
      { size: 2 ** 53 },
      { root: emptyRoot.subarray(1) },
      { extensions: [''] },
      { extensions: ['two\nlines'] },
    ];
    for (const change of bad) expect(() => formatCheckpoint({ ...good, ...change })).toThrow(invalid);
  });
});

test.each(['', 'a b', 'a+b', 'a\tb', 'a\nb', 'a\0', 'a\u007f', 'a\u0085', 'a\u00a0b', 'a\u2028', 'a\ud800'])(
  '%j is no origin',
  (text) => {
    expect(() => checkOrigin(text)).toThrow(invalid);
  },
);

test.each(['log', 'example.com/log', 'example.com:8080/a/b', 'straße.example/log'])('%j is an origin', (text) => {
  expect(() => checkOrigin(text)).not.toThrow();
});

describe('a cosignature', () => {
  test('of a public witness states its time, in seconds', () => {
    const { signatures } = parseNote(publicCheckpoint);
    const times = signatures.slice(2).map(({ bytes }) => new Date(parseCosignature(bytes).time * 1000).toISOString());
    expect(times).toEqual(Array.from({ length: 4 }, () => '2026-05-23T21:50:24.000Z'));
  });

  test('is 72 bytes, read as they were written', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.uint8Array({ minLength: 64, maxLength: 64 }), (time, signature) => {
        const bytes = formatCosignature({ time, signature });
        expect(bytes).toHaveLength(72);
        expect(parseCosignature(bytes)).toEqual({ time, signature });
      }),
    );
  });

  test('of another length, or of a time beyond counting, is refused', () => {
    for (const length of [0, 64, 71, 73]) expect(() => parseCosignature(new Uint8Array(length))).toThrow(invalid);
    expect(() => parseCosignature(new Uint8Array(72).fill(255, 0, 8))).toThrow(invalid);
  });

  test('holds for its time, its checkpoint and its key only', async () => {
    const [witness, other] = [memorySigner(new Uint8Array(32).fill(1)), memorySigner(new Uint8Array(32).fill(2))];
    const text = formatCheckpoint({ origin: 'log', size: 1, root: emptyRoot, extensions: ['more'] });
    expect(cosignedText(1_679_315_147, text)).toBe(`cosignature/v1\ntime 1679315147\nlog\n1\n${emptyRootText}\nmore\n`);
    const cosignature = { time: 7, signature: await witness.sign(Buffer.from(cosignedText(7, text))) };
    const key = await witness.publicKey();
    expect(verifyCosignature(cosignature, text, key)).toBe(true);
    expect(verifyCosignature({ ...cosignature, time: 8 }, text, key)).toBe(false);
    expect(verifyCosignature(cosignature, `${text}x\n`, key)).toBe(false);
    expect(verifyCosignature(cosignature, text, await other.publicKey())).toBe(false);
  });
});
