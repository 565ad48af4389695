import { describe, expect, test } from '@jest/globals';
import { minute } from '../../shared/base/time.ts';
import { filesFlowLog } from '../../shared/flow-logs/files.ts';
import { dailyCoverage, dailyFacts } from '../../shared/flow-logs/daily.ts';
import type { ParsedRow } from '../../shared/flow-logs/contract.ts';
import { Descriptors } from '../../functions/local/gate/descriptors.ts';
import { Door } from '../../functions/local/gate/door.ts';
import { FlowTable, type Interval } from '../../functions/local/gate/flow-table.ts';
import { RuleBook } from '../../functions/local/gate/rule-book.ts';
import { testWorld } from '../world.ts';
import { gatePlace, ruleFor, visit, type GatePlace } from './gate-place.ts';

async function rowsOf(place: GatePlace, cloud: 'aws' | 'gcp' | 'azure'): Promise<readonly ParsedRow[]> {
  const log = filesFlowLog({ name: 'log', cloud, directory: `${place.directory}/flow-logs` });
  const rows: ParsedRow[] = [];
  for await (const object of log.objects()) for await (const row of log.records(object)) rows.push(row);
  return rows;
}

describe('a gate that lost connections', () => {
  test.each(['aws', 'gcp', 'azure'] as const)(
    'says so in the flow log of %s, beside the rows that it has',
    async (cloud) => {
      const world = testWorld('2026-10-01T10:00:00Z');
      const place = await gatePlace({ cloud, world, services: ['echo', 'quiet'] });
      await place.gate.rules.put(ruleFor(place.gate, 'echo'), 'absent');
      expect(await visit(place.gate.services[0]?.port ?? 0)).toBe('hello');
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (const id of ['if-echo', 'if-quiet']) place.gate.log.skip(id);
      world.pass(minute);
      await place.gate.close();
      const rows = await rowsOf(place, cloud);
      expect(rows.filter(({ kind }) => kind === 'malformed')).toEqual([]);
      expect(dailyFacts(rows).some(({ peer }) => peer === '127.0.0.1')).toBe(true);
      const lost = dailyCoverage(rows).filter(({ state }) => state === 'lost');
      const scopes = { aws: ['if-echo', 'if-quiet'], gcp: ['subnet'], azure: ['IFECHO', 'IFQUIET'] }[cloud];
      expect(lost.map(({ scope, hour }) => `${scope} ${new Date(hour).toISOString()}`)).toEqual(
        scopes.map((scope) => `${scope} 2026-10-01T10:00:00.000Z`),
      );
      await place.end();
    },
  );

  test('does not say so where nothing was lost', async () => {
    const place = await gatePlace({ services: ['absent'] });
    await place.gate.rules.put(ruleFor(place.gate, 'absent'), 'absent');
    expect(await visit(place.gate.services[0]?.port ?? 0)).toBe('reset');
    await place.gate.close();
    const rows = await rowsOf(place, 'aws');
    expect(dailyFacts(rows).some(({ kind }) => kind === 'refused')).toBe(true);
    expect(dailyCoverage(rows).filter(({ state }) => state === 'lost')).toEqual([]);
    await place.end();
  });
});

test('a door without descriptors lets its client go, and blames neither a rule nor the service', async () => {
  const world = testWorld();
  const place = await gatePlace();
  const rules = await RuleBook.open(`${place.directory}/other.json`);
  const intervals: Interval[] = [];
  const flows = new FlowTable({ world, intervalMs: minute, emit: (interval) => intervals.push(interval) });
  const [wanted] = place.gate.services;
  if (wanted === undefined) throw new Error('no service');
  const door = new Door({ service: wanted, rules, flows, descriptors: new Descriptors(1) });
  await rules.put(ruleFor(place.gate, 'echo', { ports: { from: 1, to: 65_535 } }), 'absent');
  await new Promise<void>((resolve) => door.server.listen(0, '127.0.0.1', resolve));
  const address = door.server.address();
  expect(await visit(typeof address === 'object' && address !== null ? address.port : 0)).toBe('reset');
  await door.close();
  flows.flush();
  expect(intervals.flatMap(({ slices }) => slices)).toEqual([]);
  expect(intervals.flatMap(({ losses }) => losses)).toEqual([
    { interface: 'if-echo', why: 'no descriptors left', connections: 1 },
  ]);
  await place.end();
});

test('a flood keeps what has a place, and says how much has none', () => {
  const intervals: Interval[] = [];
  const emit = (interval: Interval) => void intervals.push(interval);
  const flows = new FlowTable({ world: testWorld(), intervalMs: minute, mostSlices: 10, emit });
  const service = { name: 'web', port: 80, upstream: 1, interface: 'if-web' };
  for (let at = 0; at < 25; at += 1) flows.rejected({ service, peer: '127.0.0.1', peerPort: at, rule: undefined });
  flows.flush();
  expect(intervals.map(({ slices }) => slices.length)).toEqual([10]);
  expect(intervals[0]?.losses).toMatchObject([{ interface: 'if-web', connections: 15 }]);
});
