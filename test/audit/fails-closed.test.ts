import { describe, expect, test } from '@jest/globals';
import { checkpointKey, publishedKey, sequencedKey, sequenceKey } from '../../shared/audit/layout.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { allEntries, event, filled, place, runOn, stored, tamper, type LogPlace } from './place.ts';

const keysIn = (at: LogPlace, prefix: string) =>
  [...at.bucket.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();

describe('the log fails closed', () => {
  test.each(['unreachable', 'denied', 'throttled', 'rejected'] as const)(
    'a log store that is %s: record throws it, nothing is written, later it goes on',
    async (code) => {
      const at = await filled(2);
      let down = true;
      const inner = at.log;
      const log: typeof inner = {
        ...inner,
        create: async (...args) =>
          down ? await Promise.reject(new LockkeeperError(code, 'down')) : await inner.create(...args),
      };
      const writer = runOn({ ...at, log }, 'x');
      const before = at.bucket.objects.size;
      await expect(writer.record(event(5))).rejects.toMatchObject({ code });
      expect(at.bucket.objects.size).toBe(before);
      down = false;
      expect((await writer.record(event(5))).n).toBe(1);
      await writer.end();
      expect(await verifyLog(at)).toMatchObject({ ok: true, size: 7 });
    },
  );
  test('while nobody can tell whether an entry is there, no other takes its place', async () => {
    const at = place();
    let lost = 3;
    const inner = at.log;
    const log: typeof inner = {
      ...inner,
      async create(key, bytes) {
        const answer = await inner.create(key, bytes);
        if (key.startsWith('inbox/') && (lost -= 1) >= 0) throw new LockkeeperError('uncertain', 'the answer was lost');
        return answer;
      },
    };
    const writer = runOn({ ...at, log }, 'x');
    await expect(writer.record(event(1))).rejects.toMatchObject({ code: 'uncertain' });
    expect((await writer.record(event(2))).n).toBe(2);
    await writer.end();
    expect((await allEntries(at)).map(({ event: { details } }) => details['number'])).toEqual([
      undefined,
      1,
      2,
      undefined,
    ]);
    expect((await verifyLog(at)).ok).toBe(true);
  });
  test.each<[string, (at: LogPlace) => void, string]>([
    ['lost its newest checkpoint', (at) => at.bucket.objects.delete(checkpointKey(5)), 'their checkpoint is gone'],
    [
      'has another checkpoint',
      (at) =>
        tamper(
          at.bucket,
          checkpointKey(5),
          Buffer.from(
            Buffer.from(stored(at.bucket, checkpointKey(5)))
              .toString()
              .replace('\n5\n', '\n5\n')
              .replace(/\n[^\n]{43}=\n/, `\n${'A'.repeat(43)}=\n`),
          ),
        ),
      'is another one than was published',
    ],
  ])('a log that %s is not appended to', async (_, harm, message) => {
    const at = await filled(3);
    harm(at);
    const before = at.bucket.objects.size;
    await expect(runOn(at, 'x').record(event(9))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(message),
    });
    expect(at.bucket.objects.size).toBe(before);
  });
  test.each<[string, (at: LogPlace) => void]>([
    ['lost a sequence record', (at) => at.bucket.objects.delete(sequenceKey(0))],
    [
      'has a changed sequence record',
      (at) => tamper(at.bucket, sequenceKey(0), stored(at.bucket, sequenceKey(0)).with(9, 0)),
    ],
  ])('a log that %s is not sealed', async (_, harm) => {
    const at = await filled(3);
    harm(at);
    at.heads.objects.delete(sequencedKey);
    const log = runOn(at, 'x');
    await log.record(event(9));
    await expect(log.seal()).rejects.toBeInstanceOf(LockkeeperError);
    expect(keysIn(at, 'cp/')).toEqual([checkpointKey(5)]);
  });
  test('a published checkpoint that was changed stops the writer', async () => {
    const at = await filled(3);
    tamper(at.heads, publishedKey, stored(at.heads, publishedKey).with(2, 0));
    await expect(runOn(at, 'x').record(event(9))).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining(publishedKey),
    });
  });
});
