import { fc } from '../../properties.ts';
import { describe, expect, test } from '@jest/globals';
import { decodeBundle, encodeBundle, longestEntry } from '../../../shared/audit/tlog/bundle.ts';

const bundles = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 });

describe('an entry bundle', () => {
  test('is every entry after its length, high byte first', () => {
    const bundle = encodeBundle([Buffer.from('ab'), new Uint8Array(), Buffer.alloc(258, 7)]);
    expect(Buffer.from(bundle).toString('hex')).toBe(`0002616200000102${'07'.repeat(258)}`);
  });

  test('gives its entries back, as views of its own bytes', () => {
    fc.assert(
      fc.property(bundles, (entries) => {
        const bundle = encodeBundle(entries);
        const decoded = decodeBundle(bundle);
        expect(decoded.map((entry) => Buffer.from(entry).toString('hex'))).toEqual(
          entries.map((entry) => Buffer.from(entry).toString('hex')),
        );
        expect(decoded.every((entry) => entry.buffer === bundle.buffer)).toBe(true);
      }),
    );
  });

  test('is read where it begins, not where its buffer does', () => {
    const bundle = encodeBundle([Buffer.from('one'), Buffer.from('two')]);
    const within = Buffer.concat([Buffer.alloc(3, 9), bundle, Buffer.alloc(2, 9)]).subarray(3, 3 + bundle.length);
    expect(decodeBundle(within).map((entry) => Buffer.from(entry).toString())).toEqual(['one', 'two']);
  });

  test('holds an entry of 65 535 bytes, and refuses a longer one', () => {
    expect(decodeBundle(encodeBundle([new Uint8Array(longestEntry)]))[0]).toHaveLength(65_535);
    expect(() => encodeBundle([new Uint8Array(65_536)])).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  test('cut off anywhere but between entries is refused, and the error says at which byte', () => {
    const bundle = encodeBundle([Buffer.from('abc'), Buffer.from('de'), new Uint8Array()]);
    const whole = new Set([0, 5, 9, bundle.length]);
    for (const end of whole) expect(() => decodeBundle(bundle.subarray(0, end))).not.toThrow();
    const cuts = Array.from({ length: bundle.length }, (_, end) => end).filter((end) => !whole.has(end));
    for (const end of cuts) {
      const message: unknown = expect.stringMatching(new RegExp(`at byte (0|5|9) .* ends at byte ${end}$`));
      expect(() => decodeBundle(bundle.subarray(0, end))).toThrow(
        expect.objectContaining({ code: 'invalid', message }),
      );
    }
  });
});
