import { expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import { formatDuration, parseDuration } from '../../shared/config/duration.ts';

test.each([
  ['250ms', 250],
  ['90s', 90_000],
  ['15m', 900_000],
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  ['2w', 1_209_600_000],
  ['0s', 0],
])('%s is %d milliseconds', (text, ms) => expect(parseDuration(text)).toEqual({ ms }));

test.each(['', '30', 'd', '1.5h', '-1d', '1 d', '30D', '1d12h', '1e3s', '1234567s', 'P30D'])('%j is refused', (text) =>
  expect(() => parseDuration(text)).toThrow('is not a duration'),
);

test('what formatDuration writes reads back as the same length', () => {
  const length = fc.tuple(fc.integer({ min: 0, max: 9_999 }), fc.constantFrom('ms', 's', 'm', 'h', 'd', 'w'));
  fc.assert(
    fc.property(length, ([count, unit]) => {
      const read = parseDuration(`${count}${unit}`);
      expect(parseDuration(formatDuration(read))).toEqual(read);
    }),
  );
});
