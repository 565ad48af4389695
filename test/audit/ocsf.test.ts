import { describe, expect, test } from '@jest/globals';
import { classify, ocsfVersion } from '../../shared/audit/entries/ocsf.ts';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { event } from './place.ts';

/** Classes and activities of https://schema.ocsf.io/1.6.0/, as far as entries use them. */
const schema: Readonly<
  Record<number, { readonly category: number; readonly activities: Readonly<Record<number, string>> }>
> = {
  3004: { category: 3, activities: { 1: 'Create', 2: 'Read', 3: 'Update', 4: 'Delete' } },
  6002: { category: 6, activities: { 3: 'Start', 4: 'Stop' } },
  7004: { category: 7, activities: { 1: 'Isolate', 3: 'Restore' } },
};

const about = (kind: AuditEvent['subject']['kind'], action: string, more: Partial<AuditEvent> = {}) =>
  event(1, { action, subject: { kind, id: 'x' }, ...more });

describe('an event is filed', () => {
  test.each<[AuditEvent['subject']['kind'], string, number, number]>([
    ['opening', 'closure.apply', 7004, 1],
    ['opening', 'closure.restore', 7004, 3],
    ['opening', 'closure.reopen', 7004, 3],
    ['opening', 'closure.settle', 7004, 99],
    ['opening', 'proposal.ask', 7004, 99],
    ['opening', 'decision.approve', 7004, 99],
    ['run', 'run.start', 6002, 3],
    ['run', 'run.end', 6002, 4],
    ['credential', 'rotation.stage', 3004, 1],
    ['credential', 'rotation.import', 3004, 1],
    ['credential', 'rotation.login', 3004, 2],
    ['credential', 'rotation.adopt', 3004, 2],
    ['credential', 'rotation.change', 3004, 3],
    ['credential', 'rotation.promote', 3004, 3],
    ['credential', 'rotation.retire', 3004, 4],
    ['credential', 'rotation.retire-copy', 3004, 4],
    ['credential', 'rotation.clear', 3004, 4],
    ['flow-log', 'usage.collect', 3004, 2],
    ['log', 'log.witness', 3004, 3],
  ])('%s %s under %i, activity %i, as the schema has it', (kind, action, uid, activity) => {
    const filed = classify(about(kind, action));
    expect(filed).toMatchObject({
      class_uid: uid,
      activity_id: activity,
      type_uid: uid * 100 + activity,
      category_uid: schema[uid]?.category,
    });
    expect(filed.activity_name).toBe(activity === 99 ? action : schema[uid]?.activities[activity]);
  });

  test.each<[Partial<AuditEvent>, object]>([
    [{ stage: 'intent' }, { status_id: 0, status: 'Unknown', status_detail: 'intent', severity_id: 1 }],
    [{ stage: 'fact' }, { status_id: 0, status: 'Unknown', status_detail: 'fact', severity_id: 1 }],
    [
      { stage: 'outcome', result: 'done' },
      { status_id: 1, status: 'Success', status_detail: 'done', severity_id: 1 },
    ],
    [
      { stage: 'outcome', result: 'failed' },
      { status_id: 2, status: 'Failure', status_detail: 'failed', severity_id: 3 },
    ],
    [
      { stage: 'outcome', result: 'refused' },
      { status_id: 2, status: 'Failure', status_detail: 'refused', severity_id: 3 },
    ],
    [
      { stage: 'outcome', result: 'uncertain' },
      { status_id: 0, status: 'Unknown', status_detail: 'uncertain', severity_id: 3 },
    ],
  ])('with the status that %j has', (more, expected) => {
    expect(classify(about('opening', 'closure.apply', more))).toMatchObject(expected);
  });

  test.each<[string, AuditEvent['details'], number]>([
    ['rotation.block', { reason: 'every-value-rejected' }, 4],
    ['rotation.plan', { leaked: 'found in a chat' }, 4],
    ['rotation.plan', {}, 1],
    ['closure.reopen', { automatic: true }, 4],
    ['closure.reopen', { automatic: false }, 3],
    ['closure.restore', {}, 3],
    ['closure.found-open', {}, 3],
    ['closure.knock', { known: true }, 3],
    ['closure.knock', { known: false }, 2],
    ['closure.settle', {}, 1],
  ])('%s with %j as severe as it is, at any stage, and no less severe where it fails', (action, details, severity) => {
    const filed = (more: Partial<AuditEvent>) => classify(about('opening', action, { details, ...more })).severity_id;
    expect([filed({ stage: 'intent' }), filed({ stage: 'fact' }), filed({ stage: 'outcome', result: 'done' })]).toEqual(
      [severity, severity, severity],
    );
    expect(filed({ stage: 'outcome', result: 'refused' })).toBe(Math.max(3, severity));
  });

  test.each(['rotation.constructor', 'rotation.toString', 'rotation.__proto__', ''])(
    '%j, a verb that means nothing to it, as any other',
    (action) => {
      expect(classify(about('credential', action))).toMatchObject({ activity_id: 3, activity_name: 'Update' });
    },
  );

  test('under a version that has every class it is filed under', () => {
    const [major, minor] = ocsfVersion.split('.').map(Number);
    expect(major).toBe(1);
    // 7004 came with 1.3.0; 1.9.0 deprecates `app`, which 6002 demands before.
    expect(minor).toBeGreaterThanOrEqual(3);
    expect(minor).toBeLessThan(9);
  });
});
