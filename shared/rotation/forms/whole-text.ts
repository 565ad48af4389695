import type { Sealed } from '../../base/sealed.ts';
import type { ConsumerForm } from './form.ts';
import { jsonText } from './json-text.ts';
import { readOrNothing } from './proven.ts';

/**
 * True where `text` is what consumers read in this form, rather than a value alone. A JSON object is, whatever its members
 * are called. Of the form plain nobody can tell: its text is the value.
 */
export function isWholeText(form: ConsumerForm, text: Sealed, user: string): boolean {
  if (form.name === 'json') return jsonText(text.open()) !== undefined;
  return readOrNothing(form, text, { slot: user }) !== undefined;
}
