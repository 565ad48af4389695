import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { Sealed } from '../../shared/base/sealed.ts';
import { day } from '../../shared/base/time.ts';
import { decodeJournal, keyOf } from '../../shared/rotation/journal/journal-format.ts';
import { phases, type Phase } from '../../shared/rotation/journal/journal.ts';
import type { Login } from '../../shared/services/contract.ts';
import { address, firstValue, json, makePlace, runUntilDone, type Place } from './place.ts';

/**
 * Journals as lockkeeper 0.1 wrote them, byte for byte and one a line: every write of an ordinary rotation and of an
 * emergency, then one in trouble, one whose old value was still accepted, one whose values were all rejected, and an
 * adoption.
 */
const lines = readFileSync(join(import.meta.dirname, 'first-format.jsonl'), 'utf8')
  .trimEnd()
  .split('\n');

/** What the tests need of format 1. */
const schema = z.looseObject({
  phase: z.enum(phases),
  rotation: z.string(),
  copies: z.array(z.object({ staged: z.string().nullable(), published: z.string().nullable(), retired: z.boolean() })),
  blocked: z.object({ reason: z.string() }).nullable(),
  emergency: z.object({ reason: z.string(), actor: z.string(), reviewed: z.boolean(), told: z.boolean() }).nullable(),
  epoch: z.number(),
});
type FirstJournal = z.infer<typeof schema>;

const firsts = lines.map((line) => schema.parse(JSON.parse(line)));
const fresh: Login = { slot: 'app_b', value: new Sealed('new-value-of-app-b-0123456789abc') };
const free = async () => undefined;
const [sets, retires]: readonly (readonly Phase[])[] = [
  ['set', 'verified', 'published', 'draining', 'retired', 'done'],
  ['retired', 'done'],
];

/** Stores and service as they are when this journal was written. */
async function placeOf(first: FirstJournal): Promise<Place> {
  const place = await makePlace();
  const { stores, service } = place.deps();
  for (const [at, copy] of first.copies.entries()) {
    const [name, secret] = at === 0 ? (['one', 'app-db'] as const) : (['two', 'app/db'] as const);
    const store = stores[name];
    const vault = place.vaults[name];
    if (!store || !vault || copy.staged === null) continue;
    while (vault.state.versions + 1 < Number(copy.staged.slice(1))) vault.nextVersion();
    const staged = await store.stage(secret, first.rotation, json.write(undefined, fresh, address));
    expect(staged.id).toBe(copy.staged);
    if (copy.published !== null) await store.promote(secret, { rotation: first.rotation, id: staged.id }, 'v1');
    if (copy.retired) await store.retire(secret, 'v1');
  }
  if (first.copies.every(({ staged }) => staged === null)) return place;
  if (sets?.includes(first.phase)) await service.change(fresh, undefined, free);
  if (retires?.includes(first.phase) && !first.blocked) await service.retire('app_a', undefined, free);
  return place;
}

function putJournal(place: Place, line: string): void {
  place.bucket.objects.set(keyOf('app-db'), { bytes: Buffer.from(line), version: 'first' });
}

function expectDone(place: Place, first: FirstJournal): void {
  expect(place.host.holds('app_a', firstValue)).toBe(false);
  expect(place.consumer('one')).toMatchObject({ slot: 'app_b' });
  expect(place.consumer('one').value.equals(place.consumer('two').value)).toBe(true);
  expect(place.consumerLogsIn('one')).toBe(true);
  expect(place.host.count('app_b')).toBe(1);
  for (const vault of Object.values(place.vaults))
    for (const shelf of vault.shelves.values()) expect([shelf.pending, shelf.earlier]).toEqual([null, []]);
  const stored = place.bucket.objects.get(keyOf('app-db'))?.bytes ?? [];
  expect(JSON.parse(Buffer.from(stored).toString())).toMatchObject({ format: 2, adopted: true, phase: 'done' });
  const isStaged = first.phase !== 'planned' && !first.blocked;
  expect(!isStaged || place.consumer('one').value.equals(fresh.value)).toBe(true);
  if (!first.emergency) return;
  const { reason, actor } = first.emergency;
  expect(place.journal()?.emergency).toMatchObject({ orders: [{ reason, actor }], reviewed: true, told: true });
  const isReviewed = place.bucket.objects.has(`reviews/${first.rotation}.json`);
  expect([isReviewed, place.told.length]).toEqual([!first.emergency.reviewed, first.emergency.told ? 0 : 1]);
}

describe('a journal of format 1', () => {
  test.each(firsts.map((first, at) => [first.phase, first.epoch, at] as const))(
    'in phase %s (write %i, line %i) is carried to done, killed before the next effect or after it',
    async (_phase, _epoch, at) => {
      const first = firsts[at];
      const next = firsts[at + 1];
      if (!first || first.phase === 'done') return;
      const isFollowed = next?.rotation === first.rotation && next.epoch === first.epoch + 1;
      for (const world of isFollowed && !retires?.includes(next.phase) ? [first, next] : [first]) {
        const place = await placeOf(world);
        putJournal(place, lines[at] ?? '');
        place.world.pass(day);
        const report = await runUntilDone(place, first.blocked ? { now: true } : {});
        expect(report).toMatchObject({ outcome: 'done' });
        expectDone(place, first);
      }
    },
  );

  test('is read without being written, says when the next rotation is due, and that one is written in format 2', async () => {
    for (const [at, first] of firsts.entries()) {
      if (first.phase !== 'done') continue;
      const place = await placeOf(first);
      putJournal(place, lines[at] ?? '');
      expect(await place.run()).toMatchObject({ outcome: 'idle', steps: [], rotation: first.rotation });
      expect(Buffer.from(place.bucket.objects.get(keyOf('app-db'))?.bytes ?? []).toString()).toBe(lines[at]);
      place.world.pass(31 * day);
      expect(await runUntilDone(place, {})).toMatchObject({ outcome: 'done' });
      expect(place.journal()).toMatchObject({
        format: 2,
        adopted: true,
        past: expect.arrayContaining([first.rotation]),
      });
    }
  });

  test('holds every phase, a block, a trouble and an emergency', () => {
    const all = ['planned', 'staged', 'set', 'verified', 'published', 'draining', 'retired', 'done'];
    expect(all.filter((phase) => !firsts.some((first) => first.phase === phase))).toEqual([]);
    expect(firsts.filter(({ blocked }) => blocked)).toHaveLength(2);
    expect(lines.filter((line) => !line.includes('"trouble":null'))).toHaveLength(2);
    expect(firsts.filter(({ emergency }) => emergency).length).toBeGreaterThan(10);
  });

  test('with anything missing or extra is refused', () => {
    for (const line of lines.filter((_, at) => at % 15 === 0)) {
      const whole: Readonly<Record<string, unknown>> = schema.parse(JSON.parse(line));
      expect(decodeJournal(Buffer.from(line), 'app-db').format).toBe(2);
      for (const member of Object.keys(whole)) {
        const { [member]: _, ...rest } = whole;
        expect(() => decodeJournal(Buffer.from(JSON.stringify(rest)), 'app-db')).toThrow(/is no journal/);
      }
      expect(() => decodeJournal(Buffer.from(JSON.stringify({ ...whole, orders: [] })), 'app-db')).toThrow(/is no/);
    }
  });
});
