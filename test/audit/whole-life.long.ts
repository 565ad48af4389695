import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, describe, expect, test } from '@jest/globals';
import { auditShowVerb } from '../../functions/cli/audit-show.ts';
import { exportFormats } from '../../shared/audit/export/export.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { unpaired } from '../intent-pairs.ts';
import { contentsOf, Directories, exportTo } from './export-place.ts';
import { allEntries } from './place.ts';
import { everyAction, looseWords, wholeLife, type Life } from './whole-life.ts';

const directories = new Directories();
afterEach(() => directories.remove());

/** What DuckDB reads out of every table of an export: compressed pages show nothing to a search of bytes. */
async function rowsIn(directory: string): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll(
      `SELECT to_json(t) FROM read_parquet('${join(directory, 'ocsf', '*', 'entries.parquet')}', union_by_name = true) t`,
    );
    return reader
      .getRows()
      .map(([json]) => String(json))
      .join('\n');
  } finally {
    instance.closeSync();
  }
}

async function shown({ at }: Life, json: boolean): Promise<string> {
  const lines: string[] = [];
  const stores = async () =>
    ({
      log: at.log,
      state: at.state,
      history: undefined,
      where: 'here',
      kind: 'log',
      verifyWith: undefined,
      anchors: [],
    }) as const;
  const terminal = {
    out: (line: string) => void lines.push(line),
    err: (line: string) => void lines.push(line),
    json,
    signal: new AbortController().signal,
  };
  await auditShowVerb({}, { stores, text: async () => '' }, terminal);
  return lines.join('\n');
}

test('a whole life has every action that there is, and each intent its outcome', async () => {
  const events = (await allEntries((await wholeLife('first-value-0123456789')).at)).map(({ event }) => event);
  expect([...new Set(events.map(({ action }) => action))].toSorted()).toEqual(everyAction);
  expect(unpaired(events)).toEqual([]);
});

describe('no value comes out of a whole life, whatever its characters:', () => {
  test.each([
    ['quotes and backslashes', `a"b'c\\d\`e"'\\"f-0123`],
    ['spaces', ' leading and  double and trailing 0123 '],
    ['what URLs escape', 'p%41+q&r=s#t?u/v@w:x;0123'],
    ['lines and tabs', 'first line\nsecond line\r\n\tthird 0123'],
    ['other scripts', 'ключ-鍵-ключ-🔑-é-0123'],
    ['what looks like a pattern or a formula', '=1+(2)[3]{4}|^$.*?\\d+<>0123'],
    ['many characters', 'wide-0123456789+/'.repeat(1_500)],
  ])(
    '%s',
    async (_, value) => {
      const [planted, loose] = [new PlantedSecret(value), new PlantedSecret(looseWords)];
      const life = await wholeLife(value);
      const out = await directories.make();
      await exportTo(out, life.at, exportFormats);
      const exported = await contentsOf(out);
      for (const one of [planted, loose]) {
        for (const bucket of [life.at.bucket, life.at.heads, ...life.states])
          for (const [key, { bytes }] of bucket.objects) one.search(key, key).search(key, bytes);
        one
          .search('entries', await allEntries(life.at))
          .search('tables', await rowsIn(out))
          .search('shown', await shown(life, false))
          .search('shown as JSON', await shown(life, true));
        for (const [path, bytes] of exported) one.search(path, bytes);
        one.search('people', life.people);
      }
      planted.search('reports', life.said).expectNowhere();
      expect(() => loose.expectNowhere()).not.toThrow();
    },
    30_000,
  );
});
