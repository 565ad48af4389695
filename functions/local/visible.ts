const longest = 300;

/** Somebody else's text on one line for people: what is not seen, or moves what is, is written out; cut where it is long. */
export function visible(text: string): string {
  const shown = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
  return shown.length > longest ? `${shown.slice(0, longest)}…` : shown;
}
