/**
 * True for a text that may be the name of a note's key, and so the origin of a log: neither empty nor with spaces, plus
 * signs or control characters.
 */
export function isKeyName(text: string): boolean {
  return /^[^\s+\p{Cc}]+$/u.test(text) && text.isWellFormed();
}
