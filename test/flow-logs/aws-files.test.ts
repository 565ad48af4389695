import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import { literal, withEngine } from '../../shared/flow-logs/engine.ts';
import type { ParsedRow } from '../../shared/flow-logs/contract.ts';
import { cellsOfBatch, expectedCells } from './tables.ts';
import { rowsOf } from './traffic.ts';
import { withFiles } from './write-directory.ts';
import { awsColumns, awsText } from './write-formats.ts';

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';
const good = '2 1 eni-1 10.0.0.1 10.0.0.2 50000 22 6 1 60 1790035200 1790035260 ACCEPT OK';
const report = { records: 0, malformed: 0, unreadable: undefined };

describe('AWS files', () => {
  test('rows that do not fit are counted one by one, the others stand', async () => {
    const lines = [
      header,
      good,
      'bogus line',
      `${good} extra`,
      good.replace('10.0.0.1', '10.0.0.999'),
      good.replace(' 22 ', ' 70000 '),
      good.replace(' 22 ', ' - '),
      good.replace('ACCEPT', 'MAYBE'),
      good.replace('OK', 'WHAT'),
      '',
      header,
      good,
    ];
    const files = { 'a.log': lines.join('\n'), 'b.log.gz': gzipSync(lines.join('\n')), 'c.log': lines.join('\r\n') };
    await withFiles(files, { cloud: 'aws' }, async (log, batch) => {
      expect(
        batch.objects.map(({ key, records, malformed, unreadable }) => [key, records, malformed, unreadable]),
      ).toEqual([
        ['a.log', 2, 7, undefined],
        ['b.log.gz', 2, 7, undefined],
        ['c.log', 2, 7, undefined],
      ]);
      const kinds: string[] = [];
      for await (const row of log.records({ key: 'a.log', size: 0, version: '' })) kinds.push(row.kind);
      expect(kinds.filter((kind) => kind === 'malformed')).toHaveLength(7);
    });
  });

  test('a file of line ends of two kinds, which DuckDB refuses, is read all the same', async () => {
    await withFiles({ 'a.log': `${header}\n${good}\r\n${good}\n` }, { cloud: 'aws' }, async (_log, batch) => {
      expect(batch.objects).toMatchObject([{ ...report, records: 2 }]);
      expect(batch.facts.rows).toBeGreaterThan(0);
    });
  });

  test('a gzip file cut off exactly at a line, or with a garbled middle, is unreadable and takes no other with it', async () => {
    const many = Array.from({ length: 60_000 }, (_, n) => good.replace('eni-1', `eni-${(n * 7_919) % 65_537}`));
    const bytes = gzipSync([header, ...many, ''].join('\n'));
    const garbled = Buffer.from(bytes);
    garbled.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 3);
    const files = {
      'a.log.gz': bytes,
      'b.log.gz': bytes.subarray(0, bytes.length >> 1),
      'c.log.gz': garbled,
      'd.log.gz': bytes.subarray(0, -4),
      'e.log.gz': Buffer.from(good),
    };
    await withFiles(files, { cloud: 'aws' }, async (_log, batch) => {
      expect(batch.objects.map(({ records, unreadable }) => [records, unreadable === undefined])).toEqual([
        [60_000, true],
        [0, false],
        [0, false],
        [0, false],
        [0, false],
      ]);
    });
  }, 60_000);

  test('IPv6 addresses are spelled in one way, however the log spells them', async () => {
    const spell = (address: string) => good.replace('10.0.0.1', address).replace('10.0.0.2', '2001:db8::1');
    const lines = [header, spell('2001:DB8:0:0:0:0:0:7'), spell('2001:db8::7'), spell('2001:0db8:0000::0007')];
    await withFiles(
      { 'a.log': lines.join('\n') },
      { cloud: 'aws', interfaces: [{ id: 'eni-1', addresses: ['2001:db8::1'] }] },
      async (_log, batch) => {
        const { facts } = await cellsOfBatch(batch);
        expect(facts).toMatchObject([
          [
            '2026-09-22',
            'eni-1',
            '2001:db8::1',
            6,
            22,
            'in',
            '2001:db8::7',
            22,
            22,
            50_000,
            50_000,
            1_790_035_200_000,
            1_790_035_260_000,
            3,
            3,
            180,
            60,
          ],
        ]);
      },
    );
  });
});

describe('AWS rows that do not say which way they went', () => {
  const columns = awsColumns.filter((name) => name !== 'flow-direction');
  const silent = (rows: readonly ParsedRow[]) =>
    rows.map((row): ParsedRow =>
      row.kind === 'record' ? { ...row, record: { ...row.record, direction: undefined } } : row,
    );
  const inventory = [{ id: 'eni-0a', addresses: ['10.0.0.5', '2001:db8::5'] }];

  test('are read by the inventory, by the address common to all rows, and else from both ends', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf('aws'), fc.boolean(), async (told, isKnown) => {
        const rows = silent(told);
        const interfaces = isKnown ? inventory : [];
        await withFiles({ 'a.log': awsText(rows, columns) }, { cloud: 'aws', interfaces }, async (_log, batch) => {
          expect(await cellsOfBatch(batch)).toEqual(expectedCells(rows, interfaces));
          expect(batch.objects).toMatchObject([{ records: rows.filter(({ kind }) => kind !== 'malformed').length }]);
        });
      }),
      { numRuns: 12, seed: 3 },
    );
  }, 60_000);

  test('are found out one by one where the others do say', async () => {
    const told = fc.sample(rowsOf('aws'), { seed: 5, numRuns: 6 }).flat();
    const rows = told.map((row, index) => (index % 3 === 0 ? (silent([row])[0] ?? row) : row));
    await withFiles({ 'a.log.gz': gzipSync(awsText(rows)) }, { cloud: 'aws' }, async (_log, batch) => {
      expect(await cellsOfBatch(batch)).toEqual(expectedCells(rows));
    });
  });
});

test('AWS Parquet objects give the same facts and rows as text, with names of underscores and typed columns', async () => {
  const rows = fc
    .sample(rowsOf('aws'), { seed: 9, numRuns: 3 })
    .flat()
    .filter(({ kind }) => kind !== 'malformed');
  const parquet = await asParquet(awsText(rows));
  await withFiles({ 'a.log.parquet': parquet }, { cloud: 'aws' }, async (log, batch) => {
    expect(await cellsOfBatch(batch)).toEqual(expectedCells(rows));
    expect(batch.objects).toMatchObject([{ records: rows.length, malformed: 0, unreadable: undefined }]);
    const read: ParsedRow[] = [];
    for await (const row of log.records({ key: 'a.log.parquet', size: 0, version: '' })) read.push(row);
    expect(read.map(({ kind }) => kind)).toEqual(rows.map(({ kind }) => kind));
  });
});

async function asParquet(text: string): Promise<Uint8Array> {
  return withEngine({ threads: 1 }, async (engine) => {
    const [from, to] = [join(engine.scratch, 'a.log'), join(engine.scratch, 'a.parquet')];
    await writeFile(from, text);
    const columns = awsColumns
      .map((name) => `"${name}" AS ${name.replaceAll('-', '_')}`)
      .join(', ')
      .replaceAll('start AS start', 'start AS "start"')
      .replaceAll('"end" AS end', '"end" AS "end"');
    await engine.run(
      `COPY (SELECT ${columns} FROM read_csv(${literal(from)}, delim = ' ', header = true, nullstr = '-', quote = '', escape = '')) TO ${literal(to)} (FORMAT parquet, COMPRESSION gzip)`,
    );
    return readFile(to);
  });
}
