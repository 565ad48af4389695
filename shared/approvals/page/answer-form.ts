import { LockkeeperError } from '../../base/error.ts';
import { after, day, parseInstant, type Instant } from '../../base/time.ts';
import type { Answer, Heard } from '../contract.ts';

const answers: readonly Answer[] = ['approve', 'deny', 'snooze', 'exempt', 'reopen'];
const fields = new Set(['hash', 'answer', 'why', 'until']);
const largest = 16 * 1024;

/**
 * Reads the page's form from `who`, whose right to send it is already proven. One hash, one answer; `invalid` for
 * anything else. `until` is RFC 3339 or a date, which means the end of that day in UTC.
 */
export function readAnswerForm(body: Uint8Array, who: string): Heard {
  const form = parse(body);
  const hash = form.get('hash') ?? '';
  if (!/^[0-9a-f]{64}$/.test(hash)) throw invalid('its hash is not 64 hex digits');
  const answer = answers.find((known) => known === form.get('answer'));
  if (answer === undefined) throw invalid(`its answer is none of ${answers.join(', ')}`);
  const why = (form.get('why') ?? '').trim();
  if (why === '' && answer !== 'approve') throw invalid(`to ${answer} needs a reason`);
  const until = readUntil(form.get('until') ?? '');
  const needsEnd = answer === 'snooze' || answer === 'exempt';
  if (needsEnd && until === undefined) throw invalid(`to ${answer} needs an end`);
  return { hash, answer, who, why, until: needsEnd ? until : undefined };
}

function parse(body: Uint8Array): URLSearchParams {
  if (body.length > largest) throw invalid(`it is longer than ${largest} bytes`);
  const form = new URLSearchParams(decode(body));
  for (const name of form.keys()) {
    if (!fields.has(name)) throw invalid(`it has a field ${JSON.stringify(name)}`);
    if (form.getAll(name).length > 1) throw invalid(`it says ${name} twice`);
  }
  return form;
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new LockkeeperError('invalid', 'an answer makes no sense: it is not UTF-8', { cause });
  }
}

function readUntil(text: string): Instant | undefined {
  if (text === '') return undefined;
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return after(parseInstant(`${text}T00:00:00Z`), day);
  return parseInstant(text);
}

function invalid(why: string): LockkeeperError {
  return new LockkeeperError('invalid', `an answer makes no sense: ${why}`, {
    hint: 'Answer with the buttons of the page.',
  });
}
