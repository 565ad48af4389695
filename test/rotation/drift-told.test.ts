import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { day } from '../../shared/base/time.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { checkDrift } from '../../shared/rotation/drift/check.ts';
import { breaks, Faults } from '../broken-writes.ts';
import { firstValue, makePlace, runUntilDone, unlessKilled, withOther, type Place } from './place.ts';

const other = 'a-value-that-an-administrator-chose-0123456789';
const found = (place: Place) => place.log.events.filter(({ action }) => action === 'rotation.drift');
const over = (place: Place) => place.log.events.filter(({ action }) => action === 'rotation.drift-over');

/** An adopted credential; the service got another password by hand. */
async function drifted(): Promise<Place> {
  const place = await makePlace();
  await adopt(place.deps());
  place.host.setByHand('app_a', other);
  return place;
}

describe('a finding', () => {
  test('is told once with what to do, is in the log once, and so is its end', async () => {
    const place = await drifted();
    for (let checks = 0; checks < 3; checks += 1) await checkDrift(place.deps());
    expect(place.told).toHaveLength(1);
    expect(place.told[0]).toMatchObject({ level: 'alarm', text: expect.stringContaining('rotate app-db --now') });
    expect(found(place)).toMatchObject([
      { stage: 'fact', subject: { id: 'app-db' }, details: { finding: 'current-refused app_a@memory' } },
    ]);
    place.host.setByHand('app_a', firstValue);
    for (let checks = 0; checks < 3; checks += 1) await checkDrift(place.deps());
    expect(over(place)).toMatchObject([{ details: { finding: 'current-refused app_a@memory' } }]);
    expect(place.told.slice(1)).toMatchObject([{ level: 'info', text: expect.stringContaining('- over: ') }]);
  });

  test('is neither new nor over while nobody can look', async () => {
    const place = await drifted();
    await checkDrift(place.deps());
    place.host.isUp = false;
    const report = await checkDrift(place.deps());
    expect(report.findings.map(({ id }) => id)).toEqual(['service-silent']);
    expect(report.open).toMatchObject([{ id: 'current-refused app_a@memory' }]);
    expect(over(place)).toEqual([]);
  });

  test('costs one failed login a check and no more', async () => {
    const place = await drifted();
    await checkDrift(place.deps());
    expect(place.host.failedLogins.get('app_a')).toBe(1);
  });

  test('holds no value, neither told nor in the log nor in what is kept', async () => {
    const place = await drifted();
    const report = await checkDrift(place.deps());
    const kept = [...place.bucket.objects.values()].map(({ bytes }) => Buffer.from(bytes).toString());
    const all = JSON.stringify([report, place.told, place.log.events, kept]);
    for (const value of [firstValue, other]) expect(all).not.toContain(value);
  });

  test('that nobody could be told of is told by the next check', async () => {
    const place = await drifted();
    const notify = () => Promise.reject(new LockkeeperError('unreachable', 'the messenger is down'));
    expect(await checkDrift({ ...place.deps(), notify })).toMatchObject({ outcome: 'drifted' });
    await checkDrift(place.deps());
    expect(place.told).toHaveLength(1);
    expect(found(place)).toHaveLength(1);
  });

  test.each(breaks)(
    'is never lost where a write is %s: told and logged at least once, and then no more',
    async (how) => {
      for (let write = 0; ; write += 1) {
        const place = await drifted();
        const faults = new Faults(new Map([[write, how]]));
        await unlessKilled(checkDrift(place.deps(faults)));
        if (faults.writes.length <= write) break;
        await checkDrift(place.deps());
        const told = place.told.length;
        const at = `${how} ${faults.writes.at(-1)}`;
        expect({ at, told: told >= 1 && told <= 2, logged: found(place).length >= 1 }).toEqual({
          at,
          told: true,
          logged: true,
        });
        await checkDrift(place.deps());
        expect(place.told).toHaveLength(told);
      }
    },
  );

  test.each(breaks)('has an end that is never lost where a write is %s', async (how) => {
    for (let write = 0; ; write += 1) {
      const place = await drifted();
      await checkDrift(place.deps());
      place.host.setByHand('app_a', firstValue);
      const faults = new Faults(new Map([[write, how]]));
      await unlessKilled(checkDrift(place.deps(faults)));
      if (faults.writes.length <= write) break;
      await checkDrift(place.deps());
      const told = place.told.filter(({ text }) => text.includes('over: ')).length;
      const at = `${how} ${faults.writes.at(-1)}`;
      expect({ at, told: told >= 1 && told <= 2, logged: over(place).length >= 1 }).toEqual({
        at,
        told: true,
        logged: true,
      });
    }
  });
});

describe('a check', () => {
  test('says nothing where a rotation moved on while it looked', async () => {
    const place = await makePlace();
    await adopt(place.deps());
    const { service } = place.deps();
    const accepts: typeof service.accepts = async (login) => {
      await place.run({ now: true });
      return service.accepts(login);
    };
    const report = await checkDrift({ ...place.deps(), service: withOther(service, { accepts }) });
    expect(report).toMatchObject({ outcome: 'moved', findings: [] });
    expect(place.told).toEqual([]);
  });

  test('of two at once that find the same tells what it found at least once, and nobody fails', async () => {
    const place = await drifted();
    const reports = await Promise.all([checkDrift(place.deps()), checkDrift(place.deps())]);
    for (const { outcome } of reports) expect(['drifted', 'moved']).toContain(outcome);
    expect(place.told.length).toBeGreaterThan(0);
  });

  test('keeps two credentials apart that share a user', async () => {
    const place = await makePlace();
    await adopt(place.deps());
    const second = { ...place.deps(), plan: { ...place.plan, name: 'other-db' } };
    await adopt(second);
    await runUntilDone(place);
    place.world.pass(day);
    expect(await checkDrift(place.deps())).toMatchObject({ outcome: 'agrees' });
    const report = await checkDrift(second);
    expect(report.findings.map(({ id }) => id)).toEqual(['store-changed one/app-db', 'store-changed two/app/db']);
    expect(place.told.map(({ text }) => text.split(':')[0])).toEqual(['other-db']);
  });

  test('tries no ended value of a user that consumers log in as, unless it may', async () => {
    const place = await makePlace({ strategy: 'replacing' });
    await adopt(place.deps());
    const { current } = place.vaults['one']?.shelves.get('app-db') ?? {};
    await runUntilDone(place);
    const shelf = place.vaults['one']?.shelves.get('app-db');
    if (shelf && current)
      place.vaults['one']?.shelves.set('app-db', { ...shelf, earlier: [{ id: current.id, text: current.text }] });
    const before = place.host.failedLogins.get('app_a') ?? 0;
    await checkDrift(place.deps());
    expect(place.host.failedLogins.get('app_a') ?? 0).toBe(before);
    await checkDrift({ ...place.deps(), plan: { ...place.plan, triesEndedValues: true } });
    expect(place.host.failedLogins.get('app_a')).toBe(before + 1);
  });

  test('reads nothing but its record and the journal of a credential that was never adopted, unless it is named', async () => {
    const place = await makePlace();
    expect(await checkDrift(place.deps(), { onlyAdopted: true })).toMatchObject({ outcome: 'idle' });
    expect(place.trail).toEqual([]);
    const named = await checkDrift(place.deps());
    expect(named.findings).toMatchObject([{ id: 'not-adopted', todo: expect.stringContaining('--adopt') }]);
  });

  test('fails with what to do where its own record is damaged', async () => {
    const place = await drifted();
    place.bucket.objects.set('drift/app-db.json', { bytes: Buffer.from('{}'), version: 'v-damaged' });
    const report = await checkDrift(place.deps());
    expect(report).toMatchObject({
      outcome: 'failed',
      error: { code: 'invalid', hint: expect.stringMatching(/Delete it/) },
    });
  });

  test('fails where the log takes nothing, before a login is tried', async () => {
    const place = await drifted();
    const audit = { record: () => Promise.reject(new LockkeeperError('unreachable', 'the log is down')) };
    expect(await checkDrift({ ...place.deps(), audit })).toMatchObject({ outcome: 'failed' });
    expect(place.host.failedLogins.size).toBe(0);
  });

  test('withholds a text of a service that looks like a secret', async () => {
    const place = await drifted();
    place.host.problems = [`Password=${new Sealed(other).open()}`];
    const report = await checkDrift(place.deps());
    expect(JSON.stringify([report, place.told])).not.toContain(other);
  });
});
