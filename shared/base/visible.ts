/**
 * Signs that show as nothing, or change how others show: controls (C0, DEL, C1), direction marks and other format
 * characters, line and paragraph separators, halves of surrogate pairs, private use, everything that fonts leave out by
 * default (fillers, variation selectors, tags), and a blank that is none.
 */
const unseen = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800`;

/** The fifth mark above one letter and all after it, and marks that would sit on what stands before the text. */
const flood = String.raw`(?<=\p{M}{4})\p{M}+|(?<![^])\p{M}+|(?<=\n)\p{M}+`;

const inOneLine = new RegExp(`[${unseen}]|${flood}`, 'gu');
const inLines = new RegExp(`(?!\n)[${unseen}]|${flood}`, 'gu');

/**
 * What others wrote, as people and terminals are shown it: each sign that would hide something, steer a terminal or
 * turn letters around stands there as JSON escapes it (\u202e). So a line of JSON stays equal JSON, and letters of every
 * script stay as they are. For edges only: what is stored, hashed or compared is the text itself.
 */
export function visible(text: string): string {
  return text.replaceAll(inOneLine, escaped);
}

/** As visible, for text of several lines: they stay. */
export function visibleLines(text: string): string {
  return text.replaceAll(inLines, escaped);
}

/** The beginning of such a text, for messages that name many things. */
export function visibleStart(text: string, longest = 300): string {
  const shown = visible(text);
  return shown.length > longest ? `${shown.slice(0, longest)}…` : shown;
}

function escaped(signs: string): string {
  return signs
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
