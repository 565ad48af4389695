import { describe, expect, test } from '@jest/globals';
import { checkpointKey, evidenceKey, sequencedKey, sequenceKey } from '../../shared/audit/layout.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { sha256 } from '../../shared/base/canonical.ts';
import { day } from '../../shared/base/time.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { testWorld } from '../world.ts';
import { event, filled, place, runOn, stored, tamper } from './place.ts';

const flipped = (bytes: Uint8Array, at: number, bit = 1) => bytes.with(at, (bytes[at] ?? 0) ^ bit);

describe('verify', () => {
  test('finds nothing in a log that nobody touched, the self-test object included', async () => {
    const at = await filled(600, 50);
    await proveConditions(at.log, { world: testWorld(), writes: 'create-only' });
    expect(await verifyLog(at)).toMatchObject({ entries: 602, size: 602, ok: true, findings: [] });
    expect(await verifyLog({ log: at.log })).toMatchObject({ entries: 602, size: 602, ok: true, findings: [] });
    expect(await verifyLog({ log: memoryObjects(), state: memoryObjects() })).toMatchObject({
      entries: 0,
      ok: true,
      findings: [],
    });
  });
  test('finds nothing where entries wait, or a run was killed; it says so', async () => {
    const at = await filled(5);
    const log = runOn(at, 'killed');
    await log.record(event(1));
    expect(await verifyLog(at)).toMatchObject({ ok: true, waiting: { batches: 1, since: '2026-10-01' } });
    await log.seal();
    expect(await verifyLog(at)).toMatchObject({ ok: true, size: 9, runs: { began: 2, open: 1 } });
  });
  test('finds a flipped bit in every object, one finding of that object', async () => {
    const at = await filled(300, 20);
    const overlooked: unknown[] = [];
    for (const [ordinal, key] of [...at.bucket.objects.keys()].entries()) {
      if (key.startsWith('inbox/') && ordinal % 10 > 0) continue;
      const whole = stored(at.bucket, key);
      tamper(at.bucket, key, flipped(whole, (ordinal * 7_919) % whole.length, 1 << (ordinal % 8)));
      const { findings } = await verifyLog(at);
      if (!findings.some((finding) => finding.key === key)) overlooked.push([key, findings]);
      tamper(at.bucket, key, whole);
    }
    expect(overlooked).toEqual([]);
  }, 60_000);
  test('finds every object deleted', async () => {
    const at = await filled(300, 20);
    const overlooked: unknown[] = [];
    for (const [ordinal, key] of [...at.bucket.objects.keys()].entries()) {
      if (key.startsWith('inbox/') && ordinal % 10 > 0) continue;
      const whole = stored(at.bucket, key);
      at.bucket.objects.delete(key);
      const { findings } = await verifyLog(at);
      if (!findings.some((finding) => finding.key === key)) overlooked.push([key, findings]);
      tamper(at.bucket, key, whole);
    }
    expect(overlooked).toEqual([]);
  }, 60_000);
  test('finds a log that was cut off, by what was published', async () => {
    const at = await filled(60, 20);
    const whole = new Map(at.heads.objects);
    const cut = await filled(40, 20);
    for (const [key, object] of whole) cut.heads.objects.set(key, object);
    expect((await verifyLog(cut)).findings.map(({ kind }) => kind)).toContain('cut-off');
  });
  test('finds a run that whoever seals was made to pass over, once later days have their place', async () => {
    const at = await filled(3);
    const log = runOn(at, 'hidden', at.world);
    const { run } = await log.record(event(1));
    const [said = ''] = Buffer.from(stored(at.heads, sequencedKey))
      .toString()
      .replace('"runs":[', `"runs":[["${run}","2026-10-01",7],`)
      .split(',"sum"');
    tamper(at.heads, sequencedKey, Buffer.from(`${said},"sum":"${sha256(`${said}}`)}"}`));
    for (const days of [1, 1, 3, 1]) {
      at.world.pass(days * day);
      const later = runOn(at, `later-${at.world.now()}`, at.world);
      await later.record(event(2));
      await later.end();
    }
    const { findings } = await verifyLog(at);
    expect(findings).toMatchObject([{ key: `inbox/2026-10-01/${run}/00000000`, kind: 'omitted' }]);
  });
  test('finds evidence that an entry rests on deleted, or changed', async () => {
    const at = place();
    const evidence = Buffer.from('{"facts":1}');
    const key = evidenceKey(sha256(evidence));
    await at.log.create(key, evidence);
    const log = runOn(at, 'scan');
    await log.record(event(1, { action: 'proposal.receipt', stage: 'fact', details: { evidence: sha256(evidence) } }));
    await log.end();
    expect((await verifyLog(at)).findings).toEqual([]);
    tamper(at.bucket, key, flipped(evidence, 3));
    expect((await verifyLog(at)).findings).toMatchObject([{ key, kind: 'changed' }]);
    at.bucket.objects.delete(key);
    expect((await verifyLog(at)).findings).toMatchObject([{ key, kind: 'missing' }]);
  });
  test('finds two objects that changed places', async () => {
    const at = await filled(60, 10);
    for (const [one, other] of [
      [checkpointKey(11), checkpointKey(21)],
      [sequenceKey(11), sequenceKey(21)],
    ] as const) {
      const [a, b] = [stored(at.bucket, one), stored(at.bucket, other)];
      tamper(at.bucket, one, b);
      tamper(at.bucket, other, a);
      const { findings } = await verifyLog(at);
      expect(findings.map(({ key, kind }) => [key, kind])).toEqual(
        expect.arrayContaining([
          [one, 'moved'],
          [other, 'moved'],
        ]),
      );
      tamper(at.bucket, one, a);
      tamper(at.bucket, other, b);
    }
  });
});
