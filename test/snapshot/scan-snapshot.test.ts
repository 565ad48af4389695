import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { hasCode } from '../../shared/base/error.ts';
import { Account, asOf, on } from './account.ts';
import { cases } from './cases.ts';
import { asParquet } from './parquet.ts';
import { inPlace, judged, printed, scanned, verdicts } from './run-scan.ts';
import { middle, scan, session } from './traffic.ts';

function silent(): Account {
  return new Account()
    .interface('eni-server', { ip: '10.0.1.10', groups: ['sg-server'] })
    .rule('sgr-1', 'sg-server')
    .log('fl-0a1', { at: 'vpc-1' });
}

const dayObject = (date: string) =>
  `flow-logs/AWSLogs/123456789012/vpcflowlogs/eu-central-1/${date.replaceAll('-', '/')}/123456789012_vpcflowlogs_eu-central-1_fl-0a1_${date.replaceAll('-', '')}T0000Z_0a1b2c3d.log.gz`;

describe('labelled traffic', () => {
  test.each(cases.map((one) => [one.promise, one] as const))('%s', async (_promise, { build, expected }) => {
    expect(verdicts(await judged(build()))).toEqual(expected);
  });
});

describe('a snapshot', () => {
  test('gives the same verdicts in gzip, in text and in Parquet', async () => {
    const build = () => {
      const account = silent().rule('sgr-2', 'sg-server', { FromPort: 80, ToPort: 80 });
      session(account, { from: '10.0.2.20', to: '10.0.1.10', sport: 45_001, port: 443, at: on(4) });
      middle(account, { from: '10.0.2.20', to: '10.0.1.10', sport: 45_002, port: 443, at: on(9) });
      scan(account, { from: '10.66.0.1', to: '10.0.1.10', port: 80, at: on(5) });
      return account;
    };
    const gzip = await judged(build());
    expect(verdicts(gzip)).toEqual({ 'sgr-1': 'used answered-traffic', 'sgr-2': 'unused only-knocks' });
    expect(await judged(build(), undefined, 'text')).toEqual(gzip);
    expect(await judged(build(), (directory) => asParquet(join(directory, 'flow-logs')))).toEqual(gzip);
  });

  test('is printed with its window, times as RFC 3339 and what is not known as null', async () => {
    const account = silent();
    session(account, { from: '10.0.2.20', to: '10.0.1.10', sport: 45_001, port: 443, at: on(4) });
    const {
      asOf: at,
      window,
      verdicts: all,
      damaged,
    } = await judged(account.rule('sgr-2', 'sg-server', { FromPort: 1, ToPort: 1 }));
    expect({ at, window, damaged }).toEqual({
      at: asOf,
      window: { from: '2026-10-01T00:00:00Z', to: asOf },
      damaged: [],
    });
    expect(all[0]).toMatchObject({
      ruleSet: 'sg-server',
      lastNew: '2026-10-05T12:00:30Z',
      lastPacket: '2026-10-05T12:00:30Z',
      activeDays: 1,
      coverage: 1,
      usedPorts: [],
      alsoAllowedBy: [],
    });
    expect(all[1]).toMatchObject({
      lastNew: null,
      lastPacket: null,
      activeDays: 0,
      knocks: { count: 0, last: null, from: [] },
    });
  });

  test('is judged as of its world’s now, and over 30 days, unless told otherwise', async () => {
    await inPlace(silent(), async (directory) => {
      expect(printed(await scanned(directory, {}))).toMatchObject({
        asOf: '2026-10-31T00:00:00Z',
        window: { from: '2026-10-01T00:00:00Z' },
      });
      const early = printed(await scanned(directory, { asOf: '2026-10-20T00:00:00Z', window: '7d' }));
      expect(early).toMatchObject({ window: { from: '2026-10-13T00:00:00Z' }, verdicts: [{ verdict: 'unused' }] });
    });
  });

  test('judged in the past knows nothing of what came later', async () => {
    const account = silent();
    session(account, { from: '10.0.2.20', to: '10.0.1.10', sport: 45_001, port: 443, at: on(25) });
    await inPlace(account, async (directory) => {
      const early = printed(await scanned(directory, { asOf: '2026-10-20T00:00:00Z', window: '7d' }));
      expect(early.verdicts[0]).toMatchObject({ verdict: 'unused', lastNew: null, lastPacket: null });
    });
  });

  test('with an unreadable object is cannot-tell, and the object is named', async () => {
    const broken = dayObject('2026-10-07');
    const answer = await inPlace(silent(), async (directory) => {
      await writeFile(join(directory, broken), 'this is no gzip');
      return scanned(directory);
    });
    expect(verdicts(printed(answer))).toEqual({ 'sgr-1': 'cannot-tell damaged-log' });
    expect(printed(answer).damaged).toHaveLength(1);
    expect(answer.err.join()).toContain('fl-0a1_20261007T0000Z');
  });

  test('with an unreadable object from outside the window is judged', async () => {
    const answer = await judged(silent(), async (directory) => {
      await writeFile(
        join(directory, 'flow-logs/123456789012_vpcflowlogs_eu-central-1_fl-0a1_20260707T0000Z_0a1b2c3d.log.gz'),
        'this is no gzip',
      );
    });
    expect(verdicts(answer)).toEqual({ 'sgr-1': 'unused no-traffic' });
  });

  test('without any flow log is cannot-tell', async () => {
    const account = new Account()
      .interface('eni-server', { ip: '10.0.1.10', groups: ['sg-server'] })
      .rule('sgr-1', 'sg-server');
    expect(
      verdicts(await judged(account, (directory) => rm(join(directory, 'flow-logs'), { recursive: true }))),
    ).toEqual({ 'sgr-1': 'cannot-tell no-flow-log' });
  });

  test('whose file is missing or broken says which, and how to make it', async () => {
    await inPlace(silent(), async (directory) => {
      const file = join(directory, 'describe-flow-logs.json');
      await writeFile(file, '{');
      await expect(scanned(directory)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining(file),
      });
      await rm(file);
      await expect(scanned(directory)).rejects.toMatchObject({
        code: 'not-found',
        hint: expect.stringContaining('aws ec2 describe-flow-logs'),
      });
    });
    const thrown = await scanned('/nowhere/at/all').catch((error: unknown) => error);
    expect(hasCode(thrown, 'not-found')).toBe(true);
  });

  test('is a table for people, with the totals below', async () => {
    const { out } = await inPlace(silent(), (directory) => scanned(directory, { asOf }, false));
    expect(out.join('\n')).toContain('sgr-1');
    expect(out.at(-1)).toContain('1 openings as of 2026-10-31T00:00:00Z');
    expect(out.at(-1)).toContain('1 unused');
  });
});
