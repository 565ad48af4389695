import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { parseInstant } from '../../shared/base/time.ts';
import { endOf } from '../../shared/flow-logs/directory.ts';
import { jsonValues } from '../../shared/flow-logs/formats/json-values.ts';
import { most } from '../../shared/flow-logs/limits.ts';
import { hostileRound, soundParquet } from '../proofs/hostile/round.ts';
import { withFiles } from './write-directory.ts';

describe('hostile objects', () => {
  test('beside good ones, by a grammar: every good row is counted, and no run fails', async () => {
    const parquet = await soundParquet();
    for (const [seed, format] of (['aws', 'gcp', 'azure'] as const).entries()) {
      const { wrong, good } = await hostileRound({ seed: seed + 1, format, objects: 24, parquet });
      expect(wrong).toEqual([]);
      expect(good.counted).toBe(good.made);
      // A tuple of Azure tells both ways.
      expect(good.inFacts).toBe(format === 'azure' ? good.made * 2 : good.made);
    }
  }, 60_000);

  test('a name with a day that there never was says no time', () => {
    const key = (at: string) => `r/2026/01/01/1_vpcflowlogs_r_fl-1_${at}_x.log.gz`;
    expect(endOf(key('20260228T0000Z'), 'aws')).toBe(parseInstant('2026-02-28T00:05:00Z'));
    for (const at of ['20260231T0000Z', '20260101T2500Z', '00001301T0000Z'])
      expect(endOf(key(at), 'aws')).toBeUndefined();
    expect(endOf('y=2026/m=02/d=31/h=00/PT1H.json', 'azure')).toBeUndefined();
    expect(endOf('2026/02/31/00:00:00_01.json', 'gcp')).toBeUndefined();
  });

  test('a line without end costs its own object a row, and the rest of it is read', async () => {
    const header = 'interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';
    const good = 'eni-1 10.0.0.1 10.0.0.2 50000 22 6 1 60 1790035200 1790035260 ACCEPT OK';
    const text = [header, good, 'x'.repeat(1_000_000), good].join('\n');
    await withFiles({ 'a.log': text, 'b.log.gz': gzipSync(text) }, { cloud: 'aws' }, async (_log, batch) => {
      expect(batch.objects).toMatchObject([
        { records: 2, malformed: 1, unreadable: undefined },
        { records: 2, malformed: 1, unreadable: undefined },
      ]);
    });
  });
});

describe('a JSON value that is too large to be parsed at once', () => {
  async function* parts(text: string) {
    for (let at = 0; at < text.length; at += 1_000_000)
      yield [{ text: text.slice(at, at + 1_000_000), ends: at + 1_000_000 >= text.length }];
  }

  async function read(text: string) {
    const found: unknown[] = [];
    for await (const { value, why } of jsonValues(parts(text))) found.push(why ?? value);
    return found;
  }

  test('is read member by member, with the same members', async () => {
    const members = Array.from({ length: 50_000 }, (_, n) => ({
      n,
      text: `"}]{[\\ ${'x'.repeat(60)}`,
      in: [{ a: [n] }],
    }));
    expect(await read(JSON.stringify({ before: { a: 1 }, records: members }))).toEqual(members);
    expect(await read(JSON.stringify(members))).toEqual(members);
  });

  test('with a member that is too large, or cut off, is read but for that', async () => {
    const tooLarge = `a value of more than ${most.valueChars} characters or ${most.brackets} brackets`;
    const large = { text: 'x'.repeat(most.valueChars + 1_100_000) };
    const list = JSON.stringify([{ a: 1 }, large, { b: 2 }]);
    expect(await read(list)).toEqual([{ a: 1 }, tooLarge, { b: 2 }]);
    expect(await read(list.slice(0, -4))).toEqual([{ a: 1 }, tooLarge, 'ends in the middle of a value']);
  });
});
