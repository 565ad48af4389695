import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../shared/config/check.ts';
import { parseInstant } from '../../shared/base/time.ts';
import { example } from './example.ts';
import { mistakes } from './place.ts';

/** The example with one exact piece replaced. */
function broken(find: string, replace: string): string {
  if (example.split(find).length !== 2) throw new Error(`${find} stands not exactly once in the example`);
  return example.replace(find, replace);
}

/** The one hint given for `text`. */
function hintOf(text: string): string | undefined {
  const found = checkConfig(text, '/').mistakes;
  expect(found).toHaveLength(1);
  return found[0]?.hint;
}

describe('a right configuration', () => {
  const { config } = checkConfig(example, '/etc/lockkeeper');

  test('is read with durations, times and absolute paths', () => {
    expect(config?.stores.log).toEqual({ kind: 'file-system', path: '/etc/lockkeeper/log' });
    expect(config?.services[0]?.credential).toMatchObject({ every: { ms: 14 * 86_400_000 } });
    expect(config?.services[0]?.credential).toMatchObject({ tls: { ca: '/etc/lockkeeper/ca.pem' } });
    expect(config?.idlePorts.exemptions[0]?.until).toBe(parseInstant('2027-01-01T00:00:00Z'));
    expect(config?.idlePorts.freezes[0]?.to).toBe(parseInstant('2027-01-02T23:00:00Z'));
  });

  test('gets its defaults', () => {
    const minimal = checkConfig(
      '{version: 1, stores: {state: {kind: file-system, path: a}, log: {kind: file-system, path: b}}}',
      '/',
    );
    expect(minimal.mistakes).toEqual([]);
    expect(minimal.config).toMatchObject({
      services: [],
      secrets: {},
      networks: {},
      idlePorts: {
        window: { ms: 30 * 86_400_000 },
        minCoverage: 0.99,
        autoReopen: true,
        maxClosuresPerRun: 1,
        freezes: [],
      },
      schedules: { rotate: '0 * * * *', close: '*/10 * * * *' },
    });
    expect(minimal.config?.approvals).toBeUndefined();
  });
});

test('every mistake of a broken file is listed at once, in the order of the lines', () => {
  const text = `version: 2
stores:
  state: { kind: file-system, path: data }
  log: { kind: file-system, path: ./data/log }
networks:
  office:
    cloud: asw
    flowLogs: [{ name: flows, format: aws-vpc, directory: d }]
services:
  - name: orders-db
    owner: anna
    network: ofice
    prot: 5432
    credential:
      engine: postgres
      strategy: alternating
      users: [a]
      endpoints: [127.0.0.1:5432]
      admin: { user: x, password: { file: f, env: E } }
      secrets: [{ store: main, name: db }]
      every: 30 days
approvals: { kind: local-page, needed: 2, approvers: [anna, ben] }
`;
  expect(mistakes(text)).toEqual([
    '1:10 version is not 1',
    '4:35 stores.log.path is the place of `state`, or one is inside the other',
    '7:12 networks.<name 1>.cloud is not one of: aws, gcp, azure, kubernetes, local',
    '10:5 services[0].port is missing',
    '12:14 services[0].network is not in `networks`',
    '13:5 services[0].<name 4> is not a key of this format',
    '15:7 services[0].credential.ownerRole is missing',
    '17:14 services[0].credential.users has 1 different users; alternating needs 2',
    '19:35 services[0].credential.admin.password names not exactly one of: file, env, secret',
    '20:26 services[0].credential.secrets[0].store is not in `secrets`',
    '21:14 services[0].credential.every is not a duration',
    '22:40 approvals.needed asks for more people than may decide about services[0]: 1',
  ]);
});

describe('each rule has its mistake and a hint', () => {
  test.each([
    ['protocl: tcp', 'is not a key', 'Did you mean "protocol"?'],
    ['zebra: 1', 'is not a key', 'Known here: name, owner'],
    ['port: 80', 'the same key stands twice', ''],
  ])('%s in a service', (line, what, hint) => {
    const found = checkConfig(broken('    port: 5432\n', `    port: 5432\n    ${line}\n`), '/').mistakes;
    expect(found).toHaveLength(1);
    expect(found[0]?.what).toContain(what);
    expect(found[0]?.hint ?? '').toContain(hint);
  });

  test.each([
    ['store: main, name', 'store: mian, name', 'Did you mean secrets.<name 1> (6:3).'],
    [
      'network: office, port: 8080',
      'network: nowhere, port: 8080',
      'Names under `networks`: 1, the first is networks.<name 1> (8:3).',
    ],
    [
      'approvers: [anna] }',
      'approvers: [carl, anna] }',
      'Names under `approvals.approvers`: 2, the first is approvals.approvers[0] (',
    ],
    ['port: 8080', 'port: 5432', 'The first is services[0].port (17:5).'],
    ['name: legacy', 'name: orders-db', 'The first is services[0].name (14:5).'],
    ['approvers: [anna, ben] }', 'approvers: [anna, ben, Anna] }', 'It is the same person: name each person once.'],
    ['approvers: [anna, ben] }', 'approvers: [anna, ben, \u0430nna] }', 'different people so that nobody takes'],
    ['owner: payments', 'owner: b\u0435n', 'different people so that nobody takes'],
    ['approvers: [anna, ben] }', 'approvers: [anna, ben, l\u043Eckkeeper] }', 'different people so that nobody'],
    ['needed: 1, approvers', 'needed: 3, approvers', 'Add approvers, or lower `needed`.'],
    ['window: 45d', 'window: 45', 'How far back usage is judged.'],
    ['users: [orders_a, orders_b]', 'users: [orders_a, orders_a]', 'Name the two users that take turns.'],
    ['ownerRole: orders_owner', 'ownerRole: orders_a', 'The owner role is a third role, which nobody logs in as.'],
    ['kind: local-file', 'kind: local-flie', 'Did you mean "local-file"?'],
    ['window: 45d', 'window: 45days', 'Write one number and one unit: 30d, 12h, 15m, 90s, 250ms or 2w.'],
    [
      'to: "2027-01-03T00:00:00+01:00"',
      'to: "2026-12-01T00:00:00Z"',
      'Give a stretch of time that ends after it begins.',
    ],
    ['until: "2027-01-01T00:00:00Z"', 'until: 2027-01-01', 'Write it with a zone, like 2026-11-22T00:00:00Z.'],
    ['run: true', 'run: yes', 'Whether `lockkeeper serve` runs'],
    ['port: 8080', 'port: 80800', 'Where clients reach it.'],
    ['10.0.0.0/8', '10.0.0.0/33', 'Address ranges of real clients'],
    ['"*/5 * * * *"', 'hourly', 'Rotate what is due'],
    ['db.internal:5433', 'db', 'host:port of every server'],
    ['db.internal:5433', '127.0.0.1:99999', 'host:port of every server'],
    ['http://127.0.0.1:7001', 'http://gate.example:7001', 'Its admin address'],
    ['forwardTo: 127.0.0.1:5433', 'forwardTo: 10.0.0.9:5433', 'forwardTo: 127.0.0.1:PORT'],
    ['port: 8080,', 'port: 8080, protocol: udp,', 'forwards tcp only'],
    ['cloud: aws', 'cloud: kubernetes', 'choose one of them'],
    ['opening: sgr-1', 'opening: sgr-1, network: offce', 'Did you mean networks.<name 1> (8:3).'],
  ])('%s turned into %s', (find, replace, hint) => {
    const found = checkConfig(broken(find, replace), '/').mistakes;
    expect(found.length).toBeGreaterThanOrEqual(1);
    expect(found.map((one) => one.hint ?? '').join(' ')).toContain(hint);
    const lines = broken(find, replace).split('\n');
    const changed = example.split('\n').findIndex((line, at) => line !== lines[at]) + 1;
    expect(found.map((one) => one.line)).toContain(changed);
  });

  test('a single user needs acceptDowntime', () => {
    const single = broken('strategy: alternating', 'strategy: single').replace(
      'users: [orders_a, orders_b]',
      'users: [orders_a]',
    );
    expect(hintOf(single)).toContain('acceptDowntime: true');
    expect(mistakes(single.replace('engine: postgres', 'engine: postgres\n      acceptDowntime: true'))).toEqual([]);
  });

  test('behind a gate that lockkeeper runs it must be said where a service listens', () => {
    expect(hintOf(broken('    forwardTo: 127.0.0.1:5433\n', ''))).toContain('forwardTo: 127.0.0.1:PORT');
    expect(mistakes(broken('    forwardTo: 127.0.0.1:5433\n', '').replace(', run: true', ''))).toEqual([]);
  });

  test('an owner does not count among the approvers of an own service', () => {
    expect(mistakes(broken('approvers: [anna] }', 'approvers: [ben] }'))).toEqual([
      '36:102 services[1].approvers asks for more people than may decide about services[1]: 0',
    ]);
  });
});

describe('text that is no configuration', () => {
  test.each([
    ['', 'the file is empty'],
    ['just words', 'is a text, not a map'],
    ['- 1', 'is a list, not a map'],
    ['version: [1', '1:1'],
    ['version: &one 1\nx: *one', 'an alias'],
    ['a: 1\n---\nb: 2', 'more than one document'],
    ['version: !secret x', 'a tag'],
  ])('%j', (text, what) => {
    expect(mistakes(text).join('\n')).toContain(what);
  });
});

describe('a password in the file', () => {
  const planted = 'hunter2-planted-secret';
  test.each([
    ['password: { file: admin.password }', `password: ${planted}`],
    ['password: { file: admin.password }', `password: { value: ${planted}, file: { a: ${planted} } }`],
    ['password: { file: admin.password }', `password: [${planted}]`],
    ['password: { file: admin.password }', `password: "${planted}`],
    ['password: { file: admin.password }', `password: ${planted}: x`],
    ['password: { file: admin.password }', `password: *${planted}`],
    ['password: { file: admin.password }', `password: {env: E}} ${planted}`],
  ])('is refused and not repeated: %s, %s', (find, replace) => {
    const found = checkConfig(broken(find, replace), '/').mistakes;
    expect(found.length).toBeGreaterThanOrEqual(1);
    expect(JSON.stringify(found)).not.toContain(planted);
  });
});
