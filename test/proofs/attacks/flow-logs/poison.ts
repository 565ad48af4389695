import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { awsLine, awsValues, headers } from '../../hostile/good.ts';
import { Choice } from '../../hostile/seeded.ts';
import { flowLogPlace, type Poison } from './place.ts';

const folder = 'AWSLogs/1/vpcflowlogs/r/2026/09/01';
const good = awsLine(headers[0], awsValues(new Choice(1), 'bad'));
const goodText = `${headers[0]}\n${good}\n`;

/** Lays one hostile object beside good ones, and holds the product to what must come of it. */
export async function oneByOne(poison: Poison): Promise<void> {
  const place = await flowLogPlace();
  try {
    await poison.lay(place.directory);
    await place.mustBeRead([poison]);
    await place.mustSettle();
  } finally {
    await place.end();
  }
}

/** Every kind of hostile object. */
export const poisonings: readonly Poison[] = [
  row('time 0', { start: 0, end: 0 }),
  row('the year 9999', { end: 253_402_300_799 }),
  row('the year 2106', { end: 4_294_967_295 }),
  row('a negative time', { start: -1, end: -1 }),
  row('more bytes than 64 bits hold', { bytes: '99999999999999999999' }),
  row('the most bytes that 64 bits hold', { bytes: '9223372036854775807' }),
  row('an action that objects have', { action: 'constructor' }),
  object('a line without end', 'endless.log.gz', 'counted', () => gzipSync(`${goodText}${'a'.repeat(12_000_000)}`)),
  object('a line of columns without end', 'wide.log', 'counted', () =>
    Buffer.from(`${goodText}${'y '.repeat(60_000)}\n`),
  ),
  object('a bomb', 'bomb.log.gz', 'named', () => gzipSync(Buffer.alloc(150_000_000, goodText))),
  object('JSON of deep brackets', 'deep.json', 'named', () => Buffer.from('['.repeat(100_000))),
  object('JSON times of 9999', 'gcp.json', 'named', () =>
    Buffer.from(
      JSON.stringify({ logEvents: [{ message: good.replace(/ \d{10} \d{10} /, ' 4102444801 4102444801 ') }] }),
    ),
  ),
  object('JSON words of prototypes', 'words.json', 'named', () =>
    Buffer.from(JSON.stringify({ logEvents: [{ message: good.replace('ACCEPT', 'constructor') }] })),
  ),
  object('UTF-16', 'utf16.log', 'named', () => Buffer.from(`\ufeff${goodText}`, 'utf16le')),
  object('gzip in gzip', 'twice.log.gz', 'named', () => gzipSync(gzipSync(goodText))),
  object('a cut-off gzip', 'cut.log.gz', 'named', () => gzipSync(goodText).subarray(0, 60)),
  object('a Parquet footer of 4 GB', 'p.log.parquet', 'named', () =>
    Buffer.from('PAR1xxxx\xff\xff\xff\xffPAR1', 'latin1'),
  ),
  object('columns twice', 'twice.log', 'named', () => Buffer.from(`${headers[0]} srcaddr\n${good} 10.0.0.9\n`)),
  object('a million columns', 'columns.log', 'named', () => Buffer.from(`srcaddr ${'c '.repeat(1_000_000)}\n`)),
  named('a day that there never was', '2026/02/31', '1_vpcflowlogs_r_fl-1_20260231T2500Z_x.log'),
  named('the day 0000-00-00', '0000/00/00', '1_vpcflowlogs_r_fl-1_00000000T0000Z_x.log'),
  named('the year 9999 in a name', '9999/12/31', '1_vpcflowlogs_r_fl-1_99991231T0000Z_x.log'),
  named('an old name on a day to come', '2027/12/31', '1_vpcflowlogs_r_fl-1_20260101T0000Z_x.log'),
  named('a name of the future on an old day', '2026/09/01', '1_vpcflowlogs_r_fl-1_99991231T0000Z_x.log'),
  named('a name without a time on an old day', '2026/09/01', '0.log'),
  named('a pattern', '2026/09/01', '*.log'),
  named('a pattern of no file', '2026/09/01', '[!a]{b,c}?.log'),
  named('columns in a path', 'dstport=22/packets=7/end=0', 'x.log'),
  named("quotes and '; DROP", '2026/09/01', `"';DROP TABLE groups;--.log`),
  named('a line break', '2026/09/01', 'a\nb.log'),
  {
    ...object('a stream that objects have', 'x', 'read', () => Buffer.from(goodText)),
    ...at('constructor/2026/09/01/x.log'),
  },
  {
    ...object('a stream that is their prototype', 'x', 'read', () => Buffer.from(goodText)),
    ...at('__proto__/2026/09/01/x.log'),
  },
  special('a link to /etc/passwd', 'passwd.log', (path) => symlink('/etc/passwd', path)),
  special('a link to /dev/zero', 'zero.log.gz', (path) => symlink('/dev/zero', path)),
  special('a FIFO', 'fifo.log', async (path) => void execFileSync('mkfifo', [path])),
  {
    name: 'a name that is no UTF-8',
    key: `${folder}/\ufffd.log`,
    comes: 'named',
    lay: (directory) =>
      writeFile(Buffer.concat([Buffer.from(join(directory, folder)), Buffer.from('/\xff.log', 'latin1')]), 'x'),
  },
];

/** Bad rows beside a good one. */
function row(name: string, change: Readonly<Record<string, string | number>>): Poison {
  const bad = awsLine(headers[0], { ...awsValues(new Choice(2), 'bad'), ...change });
  return object(name, `${name.replaceAll(' ', '-')}.log.gz`, 'counted', () => gzipSync(`${goodText}${bad}\n`));
}

function object(name: string, file: string, comes: Poison['comes'], make: () => Buffer): Poison {
  const key = `${folder}/${file}`;
  return { name, key, comes, lay: (directory) => lay(directory, key, make()) };
}

/** A sound object under a hostile name. */
function named(name: string, place: string, file: string): Poison {
  return { name, comes: 'read', ...at(`AWSLogs/1/vpcflowlogs/r/${place}/${file}`) };
}

function at(key: string): Pick<Poison, 'key' | 'lay'> {
  return { key, lay: (directory) => lay(directory, key, Buffer.from(goodText)) };
}

function special(name: string, file: string, make: (path: string) => Promise<void>): Poison {
  const key = `${folder}/${file}`;
  return { name, key, comes: 'named', lay: (directory) => make(join(directory, key)) };
}

async function lay(directory: string, key: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(join(directory, key)), { recursive: true });
  await writeFile(join(directory, key), bytes);
}
