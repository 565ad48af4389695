import { beforeAll, describe, expect, test } from '@jest/globals';
import { encodeEntry } from '../../shared/audit/entries/codec.ts';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { parseInstant } from '../../shared/base/time.ts';
import { allEntries } from '../audit/place.ts';
import { wholeLife } from '../audit/whole-life.ts';
import { ocsfEvents } from './ocsf.ts';

const kinds: readonly AuditEvent['subject']['kind'][] = ['credential', 'opening', 'proposal', 'flow-log', 'run', 'log'];
const verbs = ['apply', 'restore', 'start', 'end', 'create', 'read', 'set', 'retire', 'vote'];
const results: readonly AuditEvent['result'][] = ['done', 'failed', 'refused', 'uncertain', undefined];

function entry(event: Pick<AuditEvent, 'action' | 'subject' | 'result'>, index: number): Uint8Array {
  const whole: AuditEvent = {
    ...event,
    stage: event.result === undefined ? 'intent' : 'outcome',
    actor: 'anna',
    correlation: 'r-1',
    details: { before: { ports: [5432] } },
  };
  return encodeEntry({
    previous: '0'.repeat(64),
    id: `id-${index}`,
    run: 'run-1',
    n: index,
    at: parseInstant('2026-10-01T00:00:00Z'),
    event: whole,
  }).bytes;
}

const events = kinds.flatMap((kind) =>
  verbs.flatMap((verb) =>
    results.map((result) => ({ action: `story.${verb}`, subject: { kind, id: 'one' }, ...(result && { result }) })),
  ),
);

describe('the OCSF schema', () => {
  let entries: readonly Uint8Array[];
  beforeAll(() => {
    entries = events.map(entry);
  });

  test('has room for every kind of entry, verb and result', async () => {
    expect(await ocsfEvents(entries)).toEqual({ isAccepted: true, said: `ok events=${events.length}` });
  });

  test('has room for every entry of a whole life', async () => {
    const all = await allEntries((await wholeLife('first-value-0123456789')).at);
    expect(all.length).toBeGreaterThan(300);
    expect(await ocsfEvents(all.map((one) => encodeEntry(one).bytes))).toEqual({
      isAccepted: true,
      said: `ok events=${all.length}`,
    });
  });

  test.each([
    ['a missing attribute', 'opening', /"command_uid":"[^"]*",/, '', "'command_uid' is a required property"],
    ['an attribute it does not have', 'run', /"message"/, '"massage"', "'massage' was unexpected"],
    [
      'an activity that the class does not have',
      'opening',
      /"activity_id":\d+/,
      '"activity_id":77',
      '77 is not one of',
    ],
    ['a type that is not of the class', 'credential', /"type_uid":\d+/, '"type_uid":300177', '300177 is not one of'],
    ['a text where a number belongs', 'log', /"time":(\d+)/, '"time":"$1"', 'is not of type'],
    ['an actor without the profile', 'opening', /"profiles":\["host"\],/, '', "'actor' was unexpected"],
  ])('refuses %s', async (_, kind, find, replace, why) => {
    const bytes = entries[events.findIndex(({ subject }) => subject.kind === kind)];
    const text = Buffer.from(bytes ?? []).toString('utf8');
    const changed = text.replace(find, replace);
    expect(changed).not.toBe(text);
    expect(await ocsfEvents([Buffer.from(changed)])).toEqual({ isAccepted: false, said: expect.stringContaining(why) });
  });
});
