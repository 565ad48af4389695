import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { makeExport, makeLog, trustedKey } from '../hostile/ground.ts';
import { mustHold, type Attack } from './attack.ts';
import { lockkeeper, type Ended } from './command/lockkeeper.ts';

const forged = 'forged-approver';

/** What is done to an export, and the file that verify must name. */
interface Alteration {
  readonly what: string;
  readonly named: string;
  readonly change: (directory: string) => void;
}

const inText = (path: string, from: string | RegExp, to: string) => (directory: string) => {
  const file = join(directory, path);
  const text = readFileSync(file, 'latin1');
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${path} has nothing like ${String(from)}`);
  writeFileSync(file, changed, 'latin1');
};

const parquet = 'ocsf/class_uid=3004/entries.parquet';
const alterations: readonly Alteration[] = [
  { what: 'a cell', named: 'entries.csv', change: inText('entries.csv', 'orders-db', 'orders-dx') },
  {
    what: 'a forged row',
    named: 'entries.csv',
    change: (at) =>
      writeFileSync(
        join(at, 'entries.csv'),
        `9,2026-10-01T00:00:00Z,closure.approve,fact,,opening,x,${forged},c,r,1,{}\r\n`,
        { flag: 'a' },
      ),
  },
  { what: 'a row taken out', named: 'entries.csv', change: inText('entries.csv', /\r\n5,[^\r]*/, '') },
  {
    what: 'other columns, as if another version had made it',
    named: 'entries.csv',
    change: inText('entries.csv', 'index,time', 'Index,time'),
  },
  { what: 'quotes of a cell taken away', named: 'entries.csv', change: inText('entries.csv', /"/g, '') },
  { what: 'line ends', named: 'entries.csv', change: inText('entries.csv', /\r\n/g, '\n') },
  { what: 'an empty table', named: 'entries.csv', change: (at) => writeFileSync(join(at, 'entries.csv'), '') },
  { what: 'a byte of a Parquet file', named: parquet, change: (at) => flip(join(at, parquet)) },
  {
    what: 'a Parquet file of another class',
    named: parquet,
    change: (at) => copyFileSync(join(at, 'ocsf/class_uid=6002/entries.parquet'), join(at, parquet)),
  },
  { what: 'a Parquet file taken away', named: parquet, change: (at) => rmSync(join(at, parquet)) },
  {
    what: 'a Parquet file of a class without entries',
    named: 'ocsf/class_uid=7004/entries.parquet',
    change: (at) => {
      mkdirSync(join(at, 'ocsf/class_uid=7004'));
      copyFileSync(join(at, parquet), join(at, 'ocsf/class_uid=7004/entries.parquet'));
    },
  },
  {
    what: 'a table that no export writes',
    named: 'approvals.csv',
    change: (at) => copyFileSync(join(at, 'entries.csv'), join(at, 'approvals.csv')),
  },
  {
    what: 'a second Parquet file',
    named: 'ocsf/class_uid=3004/more.parquet',
    change: (at) => copyFileSync(join(at, parquet), join(at, 'ocsf/class_uid=3004/more.parquet')),
  },
  {
    what: 'a file in ~unfinished',
    named: '~unfinished',
    change: (at) => {
      mkdirSync(join(at, '~unfinished'));
      copyFileSync(join(at, 'entries.csv'), join(at, '~unfinished/entries.csv'));
    },
  },
  {
    what: 'evidence under a name of another content',
    named: `evidence/${'ab'.repeat(32)}.json`,
    change: (at) => writeFileSync(join(at, 'evidence', `${'ab'.repeat(32)}.json`), '{}'),
  },
  {
    what: 'an older, wrong partial tile',
    named: 'tile/0/000.p/7',
    change: (at) => {
      mkdirSync(join(at, 'tile/0/000.p'), { recursive: true });
      writeFileSync(join(at, 'tile/0/000.p/7'), Buffer.alloc(7 * 32));
    },
  },
];

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** An entry of the tiles rewritten in place, as long as before: the table of show would hold it. */
function forgeEntry(directory: string): void {
  const folder = join(directory, 'tile/entries');
  const file = readdirSync(folder, { recursive: true, withFileTypes: true }).find((one) => one.isFile());
  if (!file) throw new Error('there is no bundle');
  const path = join(file.parentPath, file.name);
  const text = readFileSync(path, 'latin1');
  writeFileSync(path, text.replace('"id":"orders-db"', '"id":"orders-dx"').replace('orders-db', 'orders-dx'), 'latin1');
}

async function run(): Promise<string> {
  const place = mkdtempSync(join(tmpdir(), 'lockkeeper-attack-16-'));
  try {
    const [log, whole, at] = [join(place, 'source'), join(place, 'export'), join(place, 'altered')];
    await makeLog(log, [12, 6, 3]);
    await makeExport(log, whole, ['tiles', 'csv', 'parquet']);
    const key = await trustedKey();
    const verify = (dir: string) => lockkeeper(['audit', 'verify', '--dir', dir, '--key', key, '--output', 'json']);
    const sound = await verify(whole);
    mustHold(sound.code === 0, `a sound export is refused: ${sound.out}${sound.err}`);
    for (const { what, named, change } of alterations) {
      cpSync(whole, at, { recursive: true });
      change(at);
      expectNamed(await verify(at), what, named);
      rmSync(at, { recursive: true });
    }
    await expectNotShown(whole, at);
    return `${alterations.length} alterations of the tables and files of an export are found by verify and named; show refuses a rewritten entry, and prints the sound export`;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function expectNamed({ code, out }: Ended, what: string, named: string): void {
  mustHold(
    code === 1 && out.includes(JSON.stringify(named)),
    `${what}: verify ends with ${code}, and ${named} is not named: ${out.slice(0, 300)}`,
  );
}

async function expectNotShown(whole: string, at: string): Promise<void> {
  const show = (dir: string) => lockkeeper(['audit', 'show', '--dir', dir]);
  const sound = await show(whole);
  mustHold(sound.code === 0 && sound.out.includes('orders-db'), `show does not print a sound export: ${sound.err}`);
  cpSync(whole, at, { recursive: true });
  forgeEntry(at);
  const shown = await show(at);
  mustHold(shown.code !== 0 && !shown.out.includes('orders-dx'), 'show prints an entry that was rewritten');
}

/** The tables of an export are altered: whoever audits reads them in a spreadsheet, and verify said that nothing was changed. */
export const attack: Attack = {
  number: 16,
  about: 'altered tables in an export',
  run,
  switchedBack: [
    {
      name: 'tables-that-are-not-derived-again',
      file: 'shared/audit/export/check-export.ts',
      find: 'if (place && tables.length > 0) await checkTables(verified, { place, tables });',
      replace: '',
    },
    {
      name: 'files-that-no-export-writes',
      file: 'shared/audit/export/export-files.ts',
      find: "  return { kind: 'foreign', what: 'is no file of an export' };",
      replace: '  return undefined;',
    },
    {
      name: 'show-that-compares-nothing',
      file: 'functions/cli/audit-shown.ts',
      find: "      await leaves.expect(entry.index, 'unreadable' in entry ? hashOf(entry.bytes) : entry.hash);\n",
      replace: '',
    },
  ],
};
