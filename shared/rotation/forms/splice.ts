/** A part of a text, and what takes its place. */
export interface Edit {
  /** Inclusive. */
  readonly from: number;
  /** Exclusive; the same as `from` to insert. */
  readonly to: number;
  readonly text: string;
}

/** `text` with every edit carried out; edits do not overlap, and come in any order. */
export function spliced(text: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.from - b.from)) {
    result += text.slice(at, edit.from) + edit.text;
    at = edit.to;
  }
  return result + text.slice(at);
}
