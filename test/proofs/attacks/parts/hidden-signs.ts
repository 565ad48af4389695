/** Signs that show nothing, steer a terminal, or change the order of what stands beside them; written down by hand. */
const points: readonly (readonly [from: number, to: number])[] = [
  [0x00, 0x09],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x2800, 0x2800],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xe000, 0xe002],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe01ef],
];

/** True for one of them. */
export function isHidden(sign: string): boolean {
  const point = sign.codePointAt(0) ?? 0;
  return points.some(([from, to]) => from <= point && point <= to);
}

/** Texts as an attacker would write them into a rule, a tag, a name or a reason. */
export function hostileTexts(): readonly string[] {
  const some = points.flatMap(([from, to]) => [from, Math.floor((from + to) / 2), to]);
  return [
    ...some.map((point) => `tcp 22${String.fromCodePoint(point)} 443 from 10.0.0.0/8`),
    'open \u202e8/0.0.0.01 morf 344\u202c to the world',
    '\u2066\u2067nwod tuhs\u2069\u2069 443',
    '\u009b31mred\u009b0m \u001b]0;title\u0007 \u001b[2J\u001b[1;1H✓ proof: all is well',
    'in\u200bvi\u200csi\u200dble\ufeff \u{e0041}\u{e0042}',
    `z${'\u0301\u0336'.repeat(40)}algo`,
    '\u0336\u0336struck from the left',
    'ends in the middle of a pair \ud83d',
    'two\u2028lines\u2029of its own',
    '=cmd|calc\u202e',
  ];
}
