import { join } from 'node:path';
import { DuckDBInstance, type Json } from '@duckdb/node-api';
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { parseInstant } from '../../shared/base/time.ts';
import { exportLog } from '../../shared/audit/export/export.ts';
import { tiledLog } from '../../shared/audit/export/tiled-log.ts';
import { decodeBundle } from '../../shared/audit/tlog/bundle.ts';
import { bundlePath } from '../../shared/audit/tlog/tile.ts';
import { allEntries, event, filled, place, runOn, stored, tamper, type LogPlace } from './place.ts';
import { contentsOf, Directories, exportTo, folderAt } from './export-place.ts';

const directories = new Directories();
afterEach(() => directories.remove());

async function queried(sql: string): Promise<readonly Record<string, Json>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A cell as text. */
function textOf(cell: Json | undefined): string {
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}

function parsed(cell: Json | undefined): unknown {
  return JSON.parse(textOf(cell));
}

/** A log with entries of every OCSF class, and with what a spreadsheet and a parser stumble over. */
async function varied(): Promise<LogPlace> {
  const at = place();
  const log = runOn(at, 'first');
  for (let number = 0; number < 300; number += 1) await log.record(event(number, { stage: 'outcome', result: 'done' }));
  await log.record(
    event(300, {
      action: 'closure.apply',
      subject: { kind: 'opening', id: 'sgr-1' },
      actor: '=HYPERLINK("http://x.test";"open")',
      details: { why: 'two\nlines, "quoted"', 7: ['ü', { deep: null }] },
    }),
  );
  await log.record(event(301, { subject: { kind: 'credential', id: '\t-2+3' }, actor: '＝1', correlation: '@x' }));
  await log.end();
  return at;
}

describe('OCSF as Parquet', () => {
  test('takes text that is no Unicode, or holds a NUL: half a character becomes U+FFFD', async () => {
    const [at, out] = [place(), await directories.make()];
    const log = runOn(at, 'first');
    for (const text of ['half \ud83d', 'nul \0', 'whole \u{1f600}'])
      await log.record(event(1, { actor: text, details: { [text]: text } }));
    await log.end();
    await exportTo(out, at, ['parquet', 'csv']);
    const rows = await queried(
      `SELECT actor."user"."name" AS name, unmapped FROM read_parquet('${join(out, 'ocsf/class_uid=3004/entries.parquet')}', hive_partitioning = false)`,
    );
    expect(rows.map(({ name }) => name)).toEqual(['half \ufffd', 'nul \0', 'whole \u{1f600}']);
    expect(parsed(rows[0]?.['unmapped'])).toMatchObject({ details: { 'half \ud83d': 'half \ud83d' } });
  });
  test('is one class a file, every entry once, in order, with the attributes of OCSF', async () => {
    const [at, out] = [await varied(), await directories.make()];
    expect(await exportTo(out, at, ['parquet'])).toMatchObject({ size: 304, files: ['ocsf/'] });
    expect([...(await contentsOf(out)).keys()]).toEqual([
      'log.vkey',
      ...[3004, 6002, 7004].map((uid) => `ocsf/class_uid=${uid}/entries.parquet`),
    ]);
    const file = (uid: number) =>
      `read_parquet('${join(out, `ocsf/class_uid=${uid}/entries.parquet`)}', hive_partitioning = false)`;
    const entities = await queried(`SELECT "index", class_uid, entity.uid AS subject FROM ${file(3004)}`);
    expect(entities.map(({ index }) => Number(index))).toEqual([...Array.from({ length: 300 }, (_, i) => i + 1), 302]);
    expect(new Set(entities.map(({ class_uid }) => class_uid))).toEqual(new Set([3004]));
    expect(entities.at(-1)).toMatchObject({ subject: '\t-2+3' });
    expect(await queried(`SELECT "index", activity_name, app."name" AS app FROM ${file(6002)}`)).toEqual([
      { index: '0', activity_name: 'Start', app: 'lockkeeper' },
      { index: '303', activity_name: 'Stop', app: 'lockkeeper' },
    ]);
    const [closing] = await queried(`SELECT * FROM ${file(7004)}`);
    expect(closing).toMatchObject({
      index: '301',
      time: String(parseInstant('2026-10-01T00:00:00Z')),
      category_uid: 7,
      type_uid: '700401',
      actor: { user: { name: '=HYPERLINK("http://x.test";"open")' } },
      connection_info: { direction_id: 0 },
      metadata: { sequence: '301', profiles: ['host'], product: { name: 'lockkeeper' } },
    });
    expect(parsed(closing?.['unmapped'])).toMatchObject({
      action: 'closure.apply',
      subject: { kind: 'opening', id: 'sgr-1' },
      details: { why: 'two\nlines, "quoted"', 7: ['ü', { deep: null }] },
    });
  });
  test('leaves no attribute of an entry out', async () => {
    const [at, out] = [await varied(), await directories.make()];
    await exportTo(out, at, ['parquet']);
    const rows = await queried(
      `SELECT to_json(t) AS row FROM read_parquet('${join(out, 'ocsf/*/*.parquet')}', union_by_name = true, hive_partitioning = false) t ORDER BY "index"`,
    );
    expect(rows).toHaveLength(304);
    const entries = decodeBundle(stored(at.bucket, bundlePath(0))).map((entry): unknown =>
      JSON.parse(Buffer.from(entry).toString()),
    );
    const columns = z.looseObject({ unmapped: z.string().transform((text): unknown => JSON.parse(text)) });
    expect(rows.slice(0, 256).map(({ row }) => columns.parse(parsed(row)))).toMatchObject(entries);
  });
});

describe('CSV', () => {
  test('has a line an entry, and every value of it comes back', async () => {
    const [at, out] = [await varied(), await directories.make()];
    await exportTo(out, at, ['csv']);
    const rows = await queried(
      `FROM read_csv('${join(out, 'entries.csv')}', header = true, all_varchar = true, strict_mode = true)`,
    );
    const entries = await allEntries(at);
    expect(rows.map(({ index, run, n, details }) => [index, run, n, parsed(details)])).toEqual(
      entries.map(({ index, run, n, event: { details } }) => [String(index), run, String(n), details]),
    );
    expect(rows[1]).toMatchObject({
      time: '2026-10-01T00:00:00Z',
      action: 'rotation.set',
      stage: 'outcome',
      result: 'done',
      subject_kind: 'credential',
      subject: 'orders-db',
      actor: 'lockkeeper',
      correlation: 'r-1',
    });
  });
  test('has no cell that a spreadsheet would run', async () => {
    const [at, out] = [await varied(), await directories.make()];
    await exportTo(out, at, ['csv']);
    const rows = await queried(
      `FROM read_csv('${join(out, 'entries.csv')}', header = true, all_varchar = true, strict_mode = true)`,
    );
    expect(rows[301]).toMatchObject({ actor: '\'=HYPERLINK("http://x.test";"open")' });
    expect(rows[302]).toMatchObject({ subject: '\\u0009-2+3', actor: "'＝1", correlation: "'@x" });
    expect(
      rows.flatMap((row) => Object.values(row)).filter((cell) => /^\s*[=+\-@＝＋－＠]/.test(textOf(cell))),
    ).toEqual([]);
  });
});

test('tables get no place where the entries are not those that were signed', async () => {
  const [at, out] = [await filled(300), await directories.make()];
  const tiles = await tiledLog(at);
  const bytes = stored(at.bucket, bundlePath(0));
  tamper(
    at.bucket,
    bundlePath(0),
    Buffer.from(Buffer.from(bytes).toString('latin1').replace('"number":7', '"number":8'), 'latin1'),
  );
  await expect(
    exportLog({ tiles, log: at.log, folder: folderAt(out), formats: ['csv', 'parquet'] }),
  ).rejects.toMatchObject({ code: 'conflict' });
  expect([...(await contentsOf(out)).keys()]).toEqual(['log.vkey']);
});

test('a log of others has no tables, and says which format takes it', async () => {
  const [at, out] = [await filled(3), await directories.make()];
  const tiles = await tiledLog(at);
  const foreign = { ...tiles, tile: async () => Buffer.from([0, 2, 0x7b, 0x7d]) };
  await expect(
    exportLog({ tiles: foreign, log: at.log, folder: folderAt(out), formats: ['csv'] }),
  ).rejects.toMatchObject({ code: 'unsupported', hint: expect.stringContaining('--format tiles') });
});
