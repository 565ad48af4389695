import { describe, expect, test } from '@jest/globals';
import { acknowledged, audited } from '../../shared/audit/audited.ts';
import type { AuditLog } from '../../shared/audit/entry.ts';
import { auditLog } from '../../shared/audit/log.ts';
import { LockkeeperError, type ErrorCode } from '../../shared/base/error.ts';
import { allEntries, event, place } from './place.ts';

const said = () => {
  const { stage: _stage, ...rest } = event(1, { action: 'closure.apply' });
  return rest;
};
const down = (code: ErrorCode): AuditLog => ({
  record: () => Promise.reject(new LockkeeperError(code, 'the log is down')),
});

describe('an effect', () => {
  test.each([
    ['is longer than an entry', 'x'.repeat(70_000), /^x{2000}… \(68000 more characters\)$/],
    ['is cut in the middle of a character', `${'x'.repeat(1_999)}😀`, /^x{1999}\uFFFD… \(1 more characters\)$/],
    ['looks like a secret', 'asking https://app:hunter2@10.0.0.1/ failed', /^\[withheld: looks like a secret\]$/],
    ['has a connection string in it', 'cannot connect: host=db user=app Password=hunter2', /^\[withheld/],
    [
      'has the header of a request in it',
      `${'x'.repeat(3_000)} Authorization: Bearer hunter2.hunter2.hunter2`,
      /^\[withheld/,
    ],
    ['has a signed address in it', 'PUT https://b.example/k?sv=1&sig=hunter2hunter2hunter2 failed', /^\[withheld/],
  ])('whose failure %s has an outcome all the same', async (_, message, told) => {
    const at = place();
    const error = new LockkeeperError('denied', message);
    await expect(
      audited(auditLog({ ...at, run: 'run' }), { event: said, act: () => Promise.reject(error) }),
    ).rejects.toBe(error);
    const [, intent, outcome] = (await allEntries(at)).map((entry) => entry.event);
    expect([intent?.stage, outcome?.result]).toEqual(['intent', 'refused']);
    expect(outcome?.details).toEqual({ number: 1, code: 'denied', message: expect.stringMatching(told) });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
  });

  test.each<ErrorCode>(['denied', 'throttled', 'unreachable', 'uncertain', 'conflict', 'rejected', 'invalid'])(
    'without an acknowledged intent never happens (%s)',
    async (code) => {
      let happened = 0;
      const act = async () => void (happened += 1);
      await expect(audited(down(code), { event: said, act })).rejects.toBeInstanceOf(LockkeeperError);
      expect(happened).toBe(0);
    },
  );

  test('that failed, and whose outcome the log did not take, keeps its code and names both', async () => {
    const at = place();
    const log = auditLog({ ...at, run: 'run' });
    const record: AuditLog['record'] = (one) =>
      one.stage === 'intent' ? log.record(one) : down('conflict').record(one);
    const failing = audited(
      { record },
      { event: said, act: () => Promise.reject(new LockkeeperError('uncertain', 'the answer was lost')) },
    );
    await expect(failing).rejects.toMatchObject({
      code: 'uncertain',
      message: expect.stringMatching(/the answer was lost.*the log is down/),
    });
  });
});

test.each<[ErrorCode, ErrorCode]>([
  ['conflict', 'denied'],
  ['rejected', 'denied'],
  ['unsupported', 'denied'],
  ['not-found', 'denied'],
  ['unreachable', 'unreachable'],
  ['uncertain', 'uncertain'],
  ['invalid', 'invalid'],
])('a log that answers %s is %s to whoever wanted to act', async (code, heard) => {
  await expect(acknowledged(down(code), event(1))).rejects.toMatchObject({ code: heard, message: 'the log is down' });
});
