import { describe, expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import { canonicalJson } from '../../shared/base/canonical.ts';
import { encodeEntry, firstPrevious } from '../../shared/audit/entries/codec.ts';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { anyStatement, statementOf, usualStatement } from '../../shared/audit/entries/statement.ts';
import { instant } from '../../shared/base/time.ts';
import { event } from './place.ts';

const place = { run: 'nightly.0a1b', n: 7, previous: firstPrevious };
const textOf = (more: Partial<AuditEvent> = {}) =>
  Buffer.from(encodeEntry({ ...place, id: 'id-1', at: instant(1), event: event(1, more) }).bytes).toString();
const kinds = ['credential', 'opening', 'proposal', 'flow-log', 'run', 'log'] as const;
const hash = 'ab'.repeat(32);

/** What a reading comes to, an error included. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (thrown) {
    return String(thrown);
  }
}

describe('what an entry states about its run', () => {
  test.each(kinds)('is read the quick way from every entry about a %s', (kind) => {
    const subject = { kind, id: 'one' };
    for (const more of [{}, { stage: 'outcome', result: 'refused' }] as const) {
      expect(usualStatement(textOf({ subject, ...more }))).toEqual({
        ...place,
        counts: undefined,
        evidence: undefined,
      });
    }
  });
  test('includes how many entries a run counts at its end, and the evidence that an entry rests on', () => {
    const end = { action: 'run.end', subject: { kind: 'run', id: 'nightly' }, details: { entries: 8 } } as const;
    expect(usualStatement(textOf(end))).toMatchObject({ counts: 8 });
    expect(usualStatement(textOf({ details: { entries: 8, evidence: hash } }))).toMatchObject({
      counts: undefined,
      evidence: hash,
    });
    expect(usualStatement(textOf({ details: { evidence: 'no hash' } }))).toMatchObject({ evidence: undefined });
  });
  test('is the same both ways, whatever an event says', () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom('","previous":"x', '}}}', ',"previous":', 'a"b', '\\', 'é\u2028'),
    );
    const details = fc.dictionary(
      fc.oneof(name, fc.constantFrom('previous', 'run', 'entries')),
      fc.oneof(fc.integer(), name, fc.dictionary(name, name)),
    );
    fc.assert(
      fc.property(
        fc.record({ action: name, actor: name, correlation: name, details, id: name, kind: fc.constantFrom(...kinds) }),
        ({ id, kind, ...said }) => {
          const text = textOf({ ...said, subject: { kind, id } });
          const usual = usualStatement(text);
          expect(statementOf(Buffer.from(text))).toEqual(anyStatement(text));
          expect(usual ?? anyStatement(text)).toEqual(anyStatement(text));
        },
      ),
    );
  });
  test('is the same both ways where a piece of the entry was changed, cut out or doubled', () => {
    const whole = textOf({
      stage: 'outcome',
      result: 'done',
      details: { rule: { previous: 'x', run: 'y' }, entries: 3 },
    });
    const at = fc.nat(whole.length);
    const piece = fc.constantFrom(
      '',
      '"',
      '{',
      '}',
      ',',
      ':',
      '0',
      '\\',
      'x',
      ' ',
      '[]',
      '{}',
      ',"previous":"x"',
      '"details":{},',
    );
    fc.assert(
      fc.property(at, fc.nat(12), piece, (from, length, other) => {
        const text = whole.slice(0, from) + other + whole.slice(from + length);
        expect(outcome(() => usualStatement(text) ?? anyStatement(text))).toEqual(outcome(() => anyStatement(text)));
      }),
      { numRuns: 2_000 },
    );
  });
  test('is nothing for what is no JSON object, or does not say its place', () => {
    for (const text of [
      '',
      '[]',
      '1',
      'null',
      '{',
      canonicalJson({ unmapped: {} }),
      canonicalJson({ metadata: { sequence: 1.5 }, unmapped: { run: 'a', previous: 'b' } }),
    ]) {
      expect(() => statementOf(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
  });
});
