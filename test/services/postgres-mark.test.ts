import { fc } from '../properties.ts';
import { describe, expect, test } from '@jest/globals';
import { isOlder, markOf } from '../../shared/services/postgres-mark.ts';

const minute = 60_000_000;
const started = 1_700_000_000_000_000;
const now = started + 100 * minute;
const difference = fc.integer({ min: -10 * minute, max: 10 * minute });

describe('a mark', () => {
  const mark = markOf(
    new Map([
      ['a:5432', { at: now, started }],
      ['[::1]:5432', { at: now - 40 * minute, started: started - minute }],
    ]),
  );

  test('counts by the own clock of the server that gave it, to the microsecond', () => {
    fc.assert(
      fc.property(difference, (by) => {
        expect(isOlder(mark, 'a:5432', { began: now + by, started })).toBe(by < 0);
        const other = { began: now - 40 * minute + by, started: started - minute };
        expect(isOlder(mark, '[::1]:5432', other)).toBe(by < 0);
      }),
    );
  });

  test('leaves five minutes for the clock of a server that took over, or gave no time: never too few are older', () => {
    fc.assert(
      fc.property(difference, fc.integer({ min: 1, max: minute }), (by, later) => {
        const began = now + by;
        expect(isOlder(mark, 'a:5432', { began, started: started + later })).toBe(by < 5 * minute);
        expect(isOlder(mark, 'new:5432', { began, started })).toBe(by < 5 * minute);
      }),
    );
  });

  test('that cannot be read, or a session whose beginning is hidden, makes it older', () => {
    expect(isOlder(mark, 'a:5432', { began: undefined, started })).toBe(true);
    for (const broken of ['', '{', 'null', '[]', '{"version":2}', '{"version":1,"points":{"a:5432":{"at":"1"}}}'])
      expect(isOlder(broken, 'a:5432', { began: now + 60 * minute, started })).toBe(true);
    fc.assert(fc.property(fc.string(), (text) => isOlder(text, 'a:5432', { began: now, started })));
  });
});
