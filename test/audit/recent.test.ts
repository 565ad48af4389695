import { expect, test } from '@jest/globals';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { auditLog } from '../../shared/audit/log.ts';
import { recentEntries } from '../../shared/audit/recent.ts';
import { after, day, hour } from '../../shared/base/time.ts';
import { place, writer } from './place.ts';
import { testWorld } from '../world.ts';

function said(actor: string, action = 'decision.approve'): AuditEvent {
  return { action, stage: 'fact', subject: { kind: 'opening', id: 'r' }, actor, correlation: 'h', details: {} };
}

test('entries of the wanted stories are read by time, placed or waiting, each batch once, whatever the state store says', async () => {
  const world = testWorld();
  const at = place();
  const log = auditLog({ ...at, world, run: 'run' });
  const began = world.now();
  await log.record(said('ann'));
  await log.record(said('lockkeeper', 'usage.collect'));
  world.pass(3 * day);
  await log.record(said('ben'));
  await log.seal();
  world.pass(hour);
  await log.record(said('carl'));
  const forged = Buffer.from('{"doneBefore":"2999-01-01","size":9}');
  const held = await at.state.get('audit/sequenced.json');
  await at.state.replace('audit/sequenced.json', forged, held?.version ?? '');
  await at.log.create('inbox/2026-10-04/foreign.1/00000000', Buffer.from('"action":"decision.deny"'));
  let reads = 0;
  const store = {
    ...at.log,
    get: (key: string) => {
      reads += 1;
      return at.log.get(key);
    },
    list: (prefix: string, from?: string) => at.log.list(prefix, from),
  };
  const recent = recentEntries({ log: store, writer: async () => writer, stories: ['decision'] });
  const who = async (from: number, to: number) =>
    (await recent.between(after(began, from), after(began, to))).map(({ event }) => event.actor);
  expect(await who(0, 9 * day)).toEqual(['ann', 'ben', 'carl']);
  const first = reads;
  expect(await who(2 * day, 9 * day)).toEqual(['ben', 'carl']);
  expect(await who(0, day)).toEqual(['ann']);
  expect(reads).toBe(first);
  await log.record(said('dora'));
  expect([await who(2 * day, 9 * day), reads]).toEqual([['ben', 'carl', 'dora'], first + 1]);
});
