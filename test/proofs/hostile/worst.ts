import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { literal, withEngine } from '../../../shared/flow-logs/engine.ts';
import type { FlowFormat } from '../../../shared/flow-logs/rows.ts';
import { awsLine, awsValues, headers } from './good.ts';
import { Choice } from './seeded.ts';

/** An object that costs its reader the most that its kind can. */
export interface Worst {
  readonly name: string;
  readonly format: FlowFormat;
  readonly key: string;
  /** Lays it down at this path. */
  readonly write: (path: string) => Promise<void>;
}

const good = awsLine(headers[0], awsValues(new Choice(1), 'bad'));

/** The kinds that are measured one by one. */
export const worstKinds: readonly Worst[] = [
  kind('a line without end', 'aws', 'a.log.gz', () => gzipSync(head(Buffer.alloc(512_000_000, 'a')))),
  kind('a bomb of good rows', 'aws', 'a.log.gz', () => gzipSync(head(Buffer.alloc(250_000_000, `${good}\n`)))),
  kind('a bomb that says it is small', 'aws', 'a.log.gz', () => lying(head(Buffer.alloc(250_000_000, `${good}\n`)))),
  kind('a bomb of zeros', 'gcp', 'a.json.gz', () => gzipSync(Buffer.alloc(512_000_000))),
  kind('a line of a million columns', 'aws', 'a.log', () => head(Buffer.alloc(2_000_000, 'y '))),
  kind('fifty lines of many columns', 'aws', 'a.log', () => head(Buffer.from(`${'y '.repeat(30_000)}\n`.repeat(50)))),
  kind('two million lines that are none', 'aws', 'a.log', () => head(Buffer.alloc(4_000_000, 'x\n'))),
  kind('a header of a million columns', 'aws', 'a.log', () => Buffer.from(`srcaddr ${columns(1_000_000)}\n1 2\n`)),
  kind('4 million brackets', 'azure', 'PT1H.json', () => Buffer.alloc(4_000_000, '[')),
  kind('a million objects in a list', 'azure', 'PT1H.json', () =>
    Buffer.from(`{"records":[${'{},'.repeat(1_000_000)}{}]}`),
  ),
  kind('a text without end', 'gcp', 'a.json.gz', () =>
    gzipSync(Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(200_000_000, 'a')])),
  ),
  kind('two million blank lines in an object', 'gcp', 'a.json', () => Buffer.from(`{${'\n'.repeat(2_000_000)}}`)),
  kind('200,000 empty gzip members', 'aws', 'a.log.gz', () => Buffer.alloc(4_000_000, gzipSync(''))),
  kind('rows that tell no direction, and one bad one', 'aws', 'a.log.gz', () =>
    gzipSync(manyLines(25_000, (n) => good.replace(' bad ', ` eni-${n % 1_000} `))),
  ),
  kind('rows of a day each, of as many interfaces', 'aws', 'a.log', () =>
    manyLines(40_000, (n) => good.replace(' bad ', ` eni-${n} `).replace(/\d{10} \d{10}/, '1788220800 1788307199')),
  ),
  kind('a record of a million objects', 'azure', 'PT1H.json', () =>
    Buffer.from(`{"records":[{"flowRecords":{"flows":[${'{},'.repeat(1_000_000)}{}]}}]}`),
  ),
  { name: 'Parquet of five million rows in a kilobyte', format: 'aws', key: 'a.log.parquet', write: manyRows },
];

function kind(name: string, format: FlowFormat, key: string, make: () => Buffer): Worst {
  return { name, format, key, write: (path) => writeFile(path, make()) };
}

function head(rest: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${headers[0]}\n${good}\n`), rest]);
}

/** Good rows after a line that only TypeScript reads. */
function manyLines(count: number, line: (n: number) => string): Buffer {
  return head(Buffer.from(['bad', ...Array.from({ length: count }, (_, n) => line(n)), ''].join('\n')));
}

/** Sound gzip but for its last eight bytes, which are a checksum and a length. */
function lying(bytes: Buffer): Buffer {
  const start = gzipSync('').subarray(0, 10);
  return Buffer.concat([start, deflateRawSync(bytes), Buffer.from([0, 0, 0, 0, 200, 0, 0, 0])]);
}

function columns(count: number): string {
  return Array.from({ length: count }, (_, index) => `c${index}`).join(' ');
}

async function manyRows(path: string): Promise<void> {
  const values = Object.entries(awsValues(new Choice(1), 'bad')).map(
    ([name, value]) => `${typeof value === 'number' ? value : literal(value)} AS "${name.replaceAll('-', '_')}"`,
  );
  await withEngine({ threads: 1 }, async (engine) => {
    const file = join(engine.scratch, 'many.parquet');
    await engine.run(
      `COPY (SELECT ${values.join(', ')}, 6 AS protocol FROM range(5000000)) TO ${literal(file)} (FORMAT parquet)`,
    );
    const { copyFile } = await import('node:fs/promises');
    await copyFile(file, path);
  });
}
