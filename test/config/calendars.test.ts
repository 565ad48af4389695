import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../shared/config/check.ts';
import { right } from './place.ts';

/** A configuration of one credential with these lines; the first of them is line 18. */
function config(lines: readonly string[], schedules = ''): string {
  return `version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
secrets:
  vault: { kind: local-file, path: vault, keyFile: vault.key }
networks: { office: { cloud: aws } }
services:
  - name: orders
    owner: anna
    network: office
    port: 5432
    credential:
      engine: postgres
      strategy: alternating
      users: [a, b]
      ownerRole: owner
      endpoints: ["db:5432"]
      admin: { user: own, password: { file: own.password } }
${lines.map((line) => `      ${line}\n`).join('')}      secrets: [{ store: vault, name: x }]
${schedules}`;
}

const wrong = (lines: readonly string[], schedules?: string) =>
  checkConfig(config(lines, schedules), '/etc').mistakes.map(({ line, path, what }) =>
    `${line} ${path} ${what}`.replace('services[0].credential.', ''),
  );
const hints = (lines: readonly string[]) => checkConfig(config(lines), '/etc').mistakes.map(({ hint }) => hint);

test('a calendar is a pattern or an interval, a time zone, windows and jitter', () => {
  const lines = [
    'cron: "0 3 * * 0"',
    'timeZone: Europe/Berlin',
    'windows: [{ opens: "0 2 * * *", lasts: 3h }]',
    'jitter: 1h',
  ];
  expect(right(config(lines)).services[0]?.credential).toMatchObject({
    cron: '0 3 * * 0',
    timeZone: 'Europe/Berlin',
    windows: [{ opens: '0 2 * * *', lasts: { ms: 3 * 3_600_000 } }],
    jitter: { ms: 3_600_000 },
  });
  expect(right(config([])).services[0]?.credential).toMatchObject({
    every: { ms: 2_592_000_000 },
    windows: [],
    jitter: { ms: 0 },
  });
});

describe('a mistake is told with its line:', () => {
  test.each<[readonly string[], readonly string[]]>([
    [['cron: "0 3 * * 0"', 'every: 7d'], ['19 every excludes `cron`']],
    [['cron: "0 0 30 2 *"'], ['18 cron never comes: there is no such day']],
    [['cron: "0 99 * * *"'], ['18 cron is not a cron pattern of five fields, such as "30 6 * * *"']],
    [['cron: daily'], ['18 cron is not a cron pattern of five fields, such as "30 6 * * *"']],
    [['timeZone: Europe/Berln'], ['18 timeZone is not the name of a time zone']],
    [['timeZone: "+02:00"'], ['18 timeZone is not the name of a time zone']],
    [['windows: [{ opens: "0 2 31 4 *", lasts: 3h }]'], ['18 windows[0].opens never comes: there is no such day']],
    [['windows: [{ opens: "0 2 * * *", lasts: 0s }]'], ['18 windows[0].lasts is no time at all']],
    [
      ['windows: [{ opens: "0 2,4 * * *", lasts: 2h }]'],
      ['18 windows[0].lasts is not shorter than the time from one opening to the next'],
    ],
    [
      ['windows: [{ opens: "30 2 * * *", lasts: 20m }]'],
      ['18 windows[0].lasts is so short that no run of `schedules.rotate` comes while it is open'],
    ],
    [['windows: [{ opens: "0 2 * * *", lasts: 3h }]', 'jitter: 3h'], ['19 jitter is not shorter than a window']],
    [['cron: "0 3 * * *"', 'jitter: 1d'], ['19 jitter is not shorter than the time between two rotations']],
    [['every: 12h', 'jitter: 12h'], ['19 jitter is not shorter than the time between two rotations']],
  ])('%j', (lines, mistakes) => {
    expect(wrong(lines)).toEqual(mistakes);
  });

  test('all at once, with what to write instead', () => {
    const lines = ['timeZone: europe/berln', 'jitter: soon', 'windows: [{ opens: never, lasts: 0s }]'];
    expect(wrong(lines).map((one) => one.slice(0, 2))).toEqual(['18', '19', '20', '20']);
    expect(hints(lines)[0]).toBe('Did you mean "Europe/Berlin"?');
    expect(hints(['windows: [{ opens: "30 2 * * *", lasts: 20m }]'])).toEqual([
      'Let it last 1h or longer, or let lockkeeper run more often.',
    ]);
  });
});

test('a short window is right where lockkeeper runs while it is open, wherever its time zone has its hours', () => {
  const short = ['timeZone: Europe/Berlin', 'windows: [{ opens: "0 2 * * *", lasts: 20m }]'];
  expect(wrong(short)).toEqual([]);
  const kolkata = short.map((line) => line.replace('Europe/Berlin', 'Asia/Kolkata'));
  expect(wrong(kolkata)).toHaveLength(1);
  expect(wrong(kolkata, 'schedules: { rotate: "*/10 * * * *" }')).toEqual([]);
  expect(wrong([...short, 'jitter: 10m'])).toHaveLength(1);
});

test.each(['99 * * * *', '0 0 31 6 *'])('the schedules of lockkeeper itself are checked alike: %s', (pattern) => {
  expect(wrong([], `schedules: { scan: "${pattern}" }\n`)).toHaveLength(1);
});
