/** From (inclusive) and to (exclusive) of a part of a text. */
export type Part = readonly [from: number, to: number];

/** How much of a value tells enough of it, in letters and digits. */
const telling = 12;
const shortest = 4;

/**
 * Where `text` holds `secret` or a telling part of it: as it is, in base64, hex, percent or JSON encoding, in another
 * case, or with signs and spaces put between. A secret of less than four characters is in every text, and is not looked
 * for.
 */
export function partsHolding(text: string, secret: string): readonly Part[] {
  if (secret.length < shortest) return [];
  const squeezed = squeeze(text);
  const found = everyPart(text, secret, (index) => index);
  for (const form of forms(secret)) {
    for (const window of windows(squeeze(form).letters))
      found.push(...everyPart(squeezed.letters, window, (index) => squeezed.places[index] ?? 0));
  }
  return found;
}

function everyPart(text: string, part: string, placeOf: (index: number) => number): Part[] {
  const found: Part[] = [];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1))
    found.push([placeOf(at), placeOf(at + part.length - 1) + 1]);
  return found;
}

interface Squeezed {
  /** Letters and digits alone, in lower case. */
  readonly letters: string;
  /** Where each of them stands in the text. */
  readonly places: readonly number[];
}

function squeeze(text: string): Squeezed {
  let letters = '';
  const places: number[] = [];
  for (const match of text.matchAll(/[\p{L}\p{N}]/gu)) {
    const letter = match[0].toLowerCase();
    letters += letter;
    for (let unit = 0; unit < letter.length; unit += 1) places.push(match.index);
  }
  return { letters, places };
}

/** Every run of a telling length; a form that is shorter is told by the whole of it. */
function windows(letters: string): readonly string[] {
  if (letters.length < shortest + 2) return [];
  if (letters.length <= telling) return [letters];
  return Array.from({ length: letters.length - telling + 1 }, (_, index) => letters.slice(index, index + telling));
}

function forms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const percent = encodeURIComponent(secret);
  return [secret, percent, asAscii(secret), bytes.toString('hex'), ...base64Forms(bytes)];
}

/** JSON that keeps to ASCII, as other languages write it. */
function asAscii(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What base64 makes of the bytes wherever in a longer text they stand: the middle of each of the three alignments. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return whole.slice(shift === 0 ? 0 : 4, bytes.length > 6 ? -1 : undefined);
  });
}
