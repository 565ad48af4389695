import { describe, expect, test } from '@jest/globals';
import { hour, minute, parseInstant } from '../../shared/base/time.ts';
import { fastWorld } from '../../shared/base/world.ts';
import { testWorld } from '../world.ts';
import { awsRows, gatePlace, logFiles, ruleFor, say, stay, visit, type GatePlace } from './gate-place.ts';

const from = '127.0.7.7';

async function traffic(place: GatePlace): Promise<void> {
  const { gate } = place;
  const port = (name: string): number => gate.services.find((one) => one.name === name)?.port ?? 0;
  await gate.rules.put(ruleFor(gate, 'echo'), 'absent');
  await gate.rules.put(ruleFor(gate, 'absent'), 'absent');
  expect(await visit(port('echo'), 'x'.repeat(2_000), from)).toHaveLength(2_000);
  expect(await visit(port('absent'), 'x', from)).toBe('reset');
  expect(await visit(port('closed'), 'x', from)).toBe('reset');
  await new Promise((resolve) => setTimeout(resolve, 50));
}

const services = ['echo', 'absent', 'closed', 'quiet'];

describe('AWS flow logs of a gate', () => {
  test('lie where the bucket has them, and tell both directions as the interface sees them', async () => {
    const place = await gatePlace({ world: testWorld('2026-10-01T10:00:00Z'), services });
    await traffic(place);
    await place.gate.close();
    const files = await logFiles(place);
    expect([...files.keys()]).toEqual([
      expect.stringMatching(
        /^AWSLogs\/000123456789\/vpcflowlogs\/eu-west-1\/2026\/10\/01\/000123456789_vpcflowlogs_eu-west-1_fl-0a1b2c3d_20261001T1000Z_[0-9a-f]{8}\.log\.gz$/,
      ),
    ]);
    await place.end();
  });

  test('show an answered connection, a port that answers RST, a refused one and a quiet interface', async () => {
    const world = testWorld('2026-10-01T10:00:00Z');
    const place = await gatePlace({ world, services });
    await traffic(place);
    world.pass(minute);
    await place.gate.close();
    const rows = awsRows(await logFiles(place));
    const of = (name: string) => rows.filter((row) => row['interface-id'] === `if-${name}`);
    const brief = (name: string) =>
      of(name).map((row) =>
        [row['srcaddr'], row['tcp-flags'], row['action'], row['flow-direction'], row['log-status']].join(' '),
      );
    expect(brief('echo')).toEqual([`${from} 3 ACCEPT ingress OK`, '127.0.0.1 19 ACCEPT egress OK']);
    expect(brief('absent')).toEqual([`${from} 2 ACCEPT ingress OK`, '127.0.0.1 4 ACCEPT egress OK']);
    expect(brief('closed')).toEqual([`${from} 2 REJECT ingress OK`]);
    expect(brief('quiet')).toEqual(['- - - - NODATA']);
    const [received] = of('echo');
    expect(Number(received?.['bytes'])).toBeGreaterThan(2_000);
    expect(Number(received?.['packets'])).toBeGreaterThanOrEqual(4);
    expect(received?.['dstport']).toBe(String(place.gate.services[0]?.port));
    await place.end();
  });

  test('count what comes first after a quiet interval in the interval in which it came', async () => {
    const world = testWorld('2026-10-01T10:00:00Z');
    const place = await gatePlace({ world, services: ['absent', 'closed', 'echo'] });
    const { gate } = place;
    await gate.rules.put(ruleFor(gate, 'absent'), 'absent');
    await gate.rules.put(ruleFor(gate, 'echo'), 'absent');
    for (const [at, { port }] of gate.services.entries()) {
      world.pass(minute);
      expect(await visit(port, 'x', from)).toBe(at === 2 ? 'x' : 'reset');
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    await gate.close();
    const rows = awsRows(await logFiles(place)).filter((row) => row['flow-direction'] === 'ingress');
    expect(rows.map((row) => `${row['interface-id']} ${Number(row['start']) - 1_790_848_800}`)).toEqual([
      'if-absent 60',
      'if-closed 120',
      'if-echo 180',
    ]);
    await place.end();
  });

  test('hold every connection exactly once, however fast the clock runs', async () => {
    const world = fastWorld(parseInstant('2026-10-01T10:00:00Z'), hour / 3);
    const place = await gatePlace({ world, intervalMs: hour, publishMs: hour });
    await place.gate.rules.put(ruleFor(place.gate, 'echo', { sources: ['127.0.1.0/24'] }), 'absent');
    const port = place.gate.services[0]?.port ?? 0;
    for (let round = 0; round < 60; round += 1) {
      await Promise.all([visit(port, 'x', '127.0.1.1'), visit(port, 'x', '127.0.2.2'), visit(port, 'x', '127.0.1.3')]);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    await place.gate.close();
    const begun = awsRows(await logFiles(place)).filter(
      (row) => row['flow-direction'] === 'ingress' && (Number(row['tcp-flags']) & 2) !== 0,
    );
    const counts = Map.groupBy(begun, (row) => `${row['srcaddr']} ${row['action']}`);
    expect(
      [...counts].map(([what, rows]) => [what, rows.length]).toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    ).toEqual([
      ['127.0.1.1 ACCEPT', 60],
      ['127.0.1.3 ACCEPT', 60],
      ['127.0.2.2 REJECT', 60],
    ]);
    await place.end();
  });

  test('show a long connection in every interval it lives through, with flags 0 between its ends', async () => {
    const world = testWorld('2026-10-01T10:00:00Z');
    const place = await gatePlace({ world });
    await place.gate.rules.put(ruleFor(place.gate, 'echo'), 'absent');
    const socket = await stay(place.gate.services[0]?.port ?? 0, from);
    await say(socket, 'begin');
    world.pass(minute);
    await say(socket, 'middle');
    world.pass(2 * minute);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.end();
    socket.resume();
    await ended;
    await new Promise((resolve) => setTimeout(resolve, 50));
    world.pass(minute);
    await place.gate.close();
    const rows = awsRows(await logFiles(place)).filter((row) => row['flow-direction'] === 'ingress');
    expect(rows.map((row) => `${row['start']?.slice(-4)} ${row['tcp-flags']}`)).toEqual(
      [
        ['0', 2],
        ['60', 0],
        ['179', 0],
        ['180', 1],
      ].map(([at, flags]) => `${String(1_790_848_800 + Number(at)).slice(-4)} ${flags}`),
    );
    await place.end();
  });

  test('say nothing of a gap, and SKIPDATA where records were lost', async () => {
    const world = testWorld('2026-10-01T10:00:00Z');
    const place = await gatePlace({ world, services: ['gap', 'lost'] });
    place.gate.log.stop('if-gap', world.now());
    place.gate.log.skip('if-lost');
    world.pass(minute);
    await place.gate.flush();
    place.gate.log.resume('if-gap', world.now());
    world.pass(minute);
    await place.gate.close();
    const rows = awsRows(await logFiles(place)).map((row) =>
      [row['interface-id'], row['log-status'], row['start']?.slice(-3), row['end']?.slice(-3)].join(' '),
    );
    expect(rows.toSorted()).toEqual(['if-gap NODATA 860 919', 'if-lost NODATA 860 919', 'if-lost SKIPDATA 800 859']);
    await place.end();
  });

  test('publish an object for each window, and never overwrite one', async () => {
    const world = testWorld('2026-10-01T10:00:00Z');
    const place = await gatePlace({ world });
    for (let step = 0; step < 11; step += 1) {
      world.pass(minute);
      await place.gate.flush();
    }
    await place.gate.close();
    const files = await logFiles(place);
    expect(awsRows(files)).toHaveLength(11);
    expect(new Set([...files.keys()].map((path) => /_(\d{8}T\d{4}Z)_/.exec(path)?.[1]))).toEqual(
      new Set(['20261001T1000Z', '20261001T1005Z', '20261001T1010Z']),
    );
    await place.end();
  });
});

describe('GCP flow logs of a gate', () => {
  test('report arrivals as destination and answers as source; refusals are in the firewall log', async () => {
    const world = testWorld('2026-10-01T10:00:00Z');
    const place = await gatePlace({ cloud: 'gcp', world, services });
    await traffic(place);
    world.pass(hour);
    await place.gate.close();
    const files = await logFiles(place);
    expect([...files.keys()]).toEqual([
      'compute.googleapis.com/firewall/2026/10/01/10:00:00_10:59:59_S0.json',
      'compute.googleapis.com/vpc_flows/2026/10/01/10:00:00_10:59:59_S0.json',
    ]);
    const entries = [...files.values()].flatMap((text) =>
      text
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    );
    expect(entries[0]).toMatchObject({
      jsonPayload: {
        disposition: 'DENIED',
        connection: { src_ip: from, protocol: 6 },
        instance: { vm_name: 'closed' },
      },
    });
    expect(entries[1]).toMatchObject({
      logName: 'projects/project-1/logs/compute.googleapis.com%2Fvpc_flows',
      jsonPayload: {
        reporter: 'DEST',
        bytes_sent: expect.stringMatching(/^\d{4,}$/),
        start_time: expect.stringMatching(/^2026-10-01T10:00:00\.\d{9}Z$/),
        dest_instance: { vm_name: 'echo' },
      },
    });
    expect(entries[2]).toMatchObject({
      jsonPayload: { reporter: 'SRC', src_instance: { vm_name: 'echo' }, connection: { dest_ip: from } },
    });
    expect(new Set(entries.map((entry) => JSON.stringify(entry).match(/"insertId":"(\w+)"/)?.[1])).size).toBe(
      entries.length,
    );
    await place.end();
  });
});

describe('Azure flow logs of a gate', () => {
  test('have one blob an interface and hour that grows and is good JSON at every moment', async () => {
    const world = testWorld('2026-10-01T10:00:00Z');
    const place = await gatePlace({ cloud: 'azure', world, services, publishMs: minute });
    await traffic(place);
    world.pass(minute);
    await place.gate.flush();
    const before = await logFiles(place);
    await visit(place.gate.services[0]?.port ?? 0, 'again', from);
    await new Promise((resolve) => setTimeout(resolve, 50));
    world.pass(minute);
    await place.gate.close();
    const path =
      'flowLogResourceID=/B1A2_NETWORKWATCHERRG/NETWORKWATCHER_WESTEUROPE_LOG/y=2026/m=10/d=01/h=10/m=00/macAddress=if-echo/PT1H.json';
    const recordsOf = (files: ReadonlyMap<string, string>): unknown[] => {
      const blob: unknown = JSON.parse(files.get(path) ?? '{}');
      return typeof blob === 'object' && blob !== null && 'records' in blob && Array.isArray(blob.records)
        ? blob.records
        : [];
    };
    expect(recordsOf(before)).toHaveLength(1);
    expect(recordsOf(await logFiles(place))).toHaveLength(2);
    await place.end();
  });

  test('begin with B, end with E and counters of both ways, and deny with D under the default rule', async () => {
    const world = testWorld('2026-10-01T10:00:00Z');
    const place = await gatePlace({ cloud: 'azure', world, services });
    await traffic(place);
    await place.gate.close();
    const text = [...(await logFiles(place)).values()].join('\n');
    const tuples = [
      ...text.matchAll(/"(\d{13}),127\.0\.7\.7,127\.0\.0\.1,\d+,\d+,6,I,([BCED]),NX,(\d+),(\d+),(\d+),(\d+)"/g),
    ].map(([, , state, ...counters]) => [state, ...counters.map(Number)]);
    expect(tuples).toContainEqual(['D', 0, 0, 0, 0]);
    expect(tuples).toContainEqual(['E', 1, 60, 1, 40]);
    expect(tuples.filter(([state]) => state === 'B')).toEqual([
      ['B', 0, 0, 0, 0],
      ['B', 0, 0, 0, 0],
    ]);
    expect(text).toMatch(
      /"rule":"DefaultRule_DenyAllInBound","flowTuples":\["\d+,127\.0\.7\.7,127\.0\.0\.1,\d+,\d+,6,I,D/,
    );
    expect(text).toContain('"rule":"UserRule_to-echo"');
    await place.end();
  });
});
