import { expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import { visible, visibleLines } from '../../shared/base/visible.ts';

/** What may not reach people raw, by code point, written down without the rule under test. */
const unseen = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  0xad,
  0x34f,
  0x61c,
  ...range(0x115f, 0x1160),
  ...range(0x180b, 0x180e),
  ...range(0x200b, 0x200f),
  ...range(0x2028, 0x202e),
  ...range(0x2060, 0x206f),
  0x2800,
  0x3164,
  ...range(0xfe00, 0xfe0f),
  0xfeff,
  0xffa0,
  ...range(0xfff9, 0xfffb),
  ...range(0xe0000, 0xe0fff),
];

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

test('each unseen sign is shown as escape', () => {
  const raw = unseen.filter((point) => !/^a(\\u[0-9a-f]{4}){1,2}b$/.test(visible(`a${String.fromCodePoint(point)}b`)));
  expect(raw).toEqual([]);
});

test('a half of a surrogate pair is shown as escape; lines stay lines where lines may be', () => {
  expect(visible('a\ud800b\udc00')).toBe('a\\ud800b\\udc00');
  expect([visible('a\nb'), visibleLines('a\nb\r')]).toEqual(['a\\u000ab', 'a\nb\\u000d']);
});

test('letters of every script stay as they are, with as many marks as a language has', () => {
  for (const text of [
    'späß Ω',
    'דוד בן־גוריון',
    'محمد عَلِيّ',
    '日本語',
    'ไทย ที่นี่',
    'Việt Nam'.normalize('NFD'),
    'हिन्दी',
    '👍🏽',
  ])
    expect(visible(text)).toBe(text);
});

test('a flood of marks ends after four, and none sits on what stands before the text', () => {
  expect(visible(`z${'\u0301'.repeat(99)}`)).toBe(`z${'\u0301'.repeat(4)}${'\\u0301'.repeat(95)}`);
  expect(visible('\u0336\u0336a')).toBe('\\u0336\\u0336a');
  expect(visibleLines('a\n\u0336b')).toBe('a\n\\u0336b');
});

test('JSON stays equal JSON, and no unseen sign is left, whatever the text', () => {
  const text = fc.array(fc.oneof(fc.constantFrom(...unseen, 0x5c, 0x22, 0x301), fc.nat(0x10ffff)), { maxLength: 40 });
  fc.assert(
    fc.property(text, (points) => {
      const said = { [String.fromCodePoint(...points)]: [String.fromCodePoint(...points)] };
      const shown = visible(JSON.stringify(said));
      expect(JSON.parse(shown)).toEqual(said);
      expect(Array.from(shown).some((sign) => unseen.includes(sign.codePointAt(0) ?? 0))).toBe(false);
    }),
    { numRuns: 300 },
  );
});
