import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { hostileThings, nest, quickPlace, strangeNames, type Thing } from '../hostile/things.ts';
import { makeExport, makeLog, trustedKey } from '../hostile/ground.ts';
import { exportTo, inTime, verified } from '../hostile/verbs.ts';
import { AttackSucceeded, mustHold, type Attack } from './attack.ts';
import { lockkeeper, type Ended } from './command/lockkeeper.ts';
import { sealAndLookAt } from './hostile/seal-there.ts';

/** What is done to a directory, and the names of which each must be told. */
interface Hostile {
  readonly what: string;
  readonly named: readonly string[];
  /** Verified by the command in a process of its own, with little memory; else in this one. */
  readonly byCommand: boolean;
  readonly plant: (directory: string) => void;
}

const limitMs = 40_000;

/** Each thing beside the objects and in the place of one, and names of all kinds, several at once: one command looks at all. */
function batches(things: readonly Thing[], exported: boolean): readonly Hostile[] {
  const folder = exported ? '' : 'log';
  const at = (directory: string, ...parts: readonly string[]) => join(directory, folder, ...parts);
  return [
    {
      what: 'every kind of thing beside the objects',
      byCommand: !exported,
      named: things.map((_, number) => `evidence/thing-${number}`),
      plant: (directory) => things.forEach(({ make }, number) => make(at(directory, `evidence/thing-${number}`))),
    },
    {
      what: 'names of every kind',
      byCommand: exported,
      named: strangeNames.map(({ told }) => `evidence/${told}`),
      plant: (directory) => {
        for (const { bytes } of strangeNames)
          writeFileSync(Buffer.concat([Buffer.from(`${at(directory, 'evidence')}/`), bytes]), 'x');
      },
    },
    {
      // They come before the evidence that was changed, which is named by its hash.
      what: 'folders nested deep, and a hundred thousand files',
      named: ['evidence/deep', 'evidence/00many'],
      byCommand: !exported,
      plant: (directory) => {
        nest(at(directory, 'evidence'), 'deep', 400);
        mkdirSync(at(directory, 'evidence/00many'));
        for (let number = 0; number < 100_000; number += 1)
          writeFileSync(at(directory, 'evidence/00many', `f${number}`), '');
      },
    },
    ...things.map(({ name, make }): Hostile => ({
      what: `${name} in the place of an object`,
      byCommand: ['FIFO', 'huge sparse file', 'endless device'].includes(name),
      named: [exported ? 'tile/0/000.p/' : 'audit/partial/tile/0/000.p/'],
      plant: (directory) => {
        const tiles = join(exported ? directory : join(directory, 'state/audit/partial'), 'tile/0/000.p');
        // The last one: those of earlier sizes are of no use any more.
        const file =
          readdirSync(tiles)
            .toSorted((a, b) => Number(a) - Number(b))
            .at(-1) ?? '';
        rmSync(join(tiles, file));
        make(join(tiles, file));
      },
    })),
  ];
}

async function run(): Promise<string> {
  const place = quickPlace();
  try {
    const { things, left } = await hostileThings(place);
    const [log, exported] = [join(place, 'source'), join(place, 'export')];
    await makeLog(log, [12, 6, 3]);
    await makeExport(log, exported, ['tiles', 'csv']);
    const key = await trustedKey();
    let count = 0;
    for (const [source, isExport] of [
      [log, false],
      [exported, true],
    ] as const) {
      expectSound(await verify(source, key), source);
      for (const hostile of batches(things, isExport).filter(
        (_, number) => number < 3 || number % 3 === (isExport ? 0 : 1),
      )) {
        await expectNamed(hostile, { source, key, place });
        count += hostile.named.length;
      }
    }
    const denied = await unreadable(log, place, key);
    const own = await ownFolders(log, exported, place);
    const not = left.length === 0 ? '' : `; not made here: ${left.join(', ')}`;
    return `${count} hostile things in a live log and in an export are named by verify, which ends and finds the tampering beside them; ${own}; ${denied}${not}`;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function verify(dir: string, key: string, before: readonly string[] = []): Promise<Ended> {
  return await lockkeeper(['audit', 'verify', '--dir', dir, '--key', key, '--output', 'json'], { limitMs, before });
}

function expectSound({ code, out, err }: Ended, where: string): void {
  mustHold(code === 0, `what nobody touched is refused: ${where} ${out}${err}`);
}

interface Place {
  readonly source: string;
  readonly key: string;
  readonly place: string;
}

/** Beside the hostile things one object is changed: it must be found all the same. */
async function expectNamed({ what, named, byCommand, plant }: Hostile, { source, key, place }: Place): Promise<void> {
  const at = join(place, 'hostile');
  cpSync(source, at, { recursive: true });
  const evidence = changeEvidence(at);
  plant(at);
  const keys = byCommand ? await namedByCommand(what, () => verify(at, key)) : await namedHere(what, at, key);
  mustHold(keys.includes(evidence), `${what}: the object that was changed beside is not named`);
  const missed = named.filter((name) => !keys.some((one) => one.startsWith(name)));
  mustHold(missed.length === 0, `${what}: not named: ${JSON.stringify(missed)}`);
  rmSync(at, { recursive: true });
}

async function namedByCommand(what: string, command: () => Promise<Ended>): Promise<readonly string[]> {
  const { code, out, err } = await command();
  mustHold(code === 1 && out !== '', `${what}: verify ends with ${code} and this: ${out}${err.slice(0, 300)}`);
  return keysIn(out);
}

async function namedHere(what: string, at: string, key: string): Promise<readonly string[]> {
  const said = await inTime(() => verified(at, key), limitMs);
  if ('fault' in said) throw new AttackSucceeded(`${what}: verify ${said.fault}`);
  return said.came.findings.map((one) => one.key);
}

function changeEvidence(at: string): string {
  const folder = [join(at, 'log/evidence'), join(at, 'evidence')].find((one) => isThere(one)) ?? '';
  const file = readdirSync(folder)[0] ?? '';
  writeFileSync(join(folder, file), '{"facts":2}');
  return `evidence/${file}`;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function keysIn(out: string): readonly string[] {
  const report: unknown = JSON.parse(out);
  if (typeof report !== 'object' || report === null || !('findings' in report) || !Array.isArray(report.findings))
    return [];
  return report.findings.map((one: unknown) =>
    typeof one === 'object' && one !== null && 'key' in one ? String(one.key) : '',
  );
}

/** What another account may not read. */
async function unreadable(log: string, place: string, key: string): Promise<string> {
  if (userInfo().uid !== 0) return 'files of another account were not tried, for this is not root';
  const at = join(place, 'unreadable');
  cpSync(log, at, { recursive: true });
  for (const path of [place, at, ...readdirSync(at, { recursive: true }).map((name) => join(at, String(name)))])
    chmodSync(path, 0o755);
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const sound = await verify(at, key, nobody);
  if (sound.code !== 0) throw new Error(`another account cannot verify here at all: ${sound.out}${sound.err}`);
  const evidence = changeEvidence(at);
  const seq = readdirSync(join(at, 'log/seq'))[0] ?? '';
  chmodSync(join(at, 'log/seq', seq), 0o000);
  mkdirSync(join(at, 'log/evidence/closed'), { mode: 0o000 });
  const keys = await namedByCommand('unreadable files', () => verify(at, key, nobody));
  for (const name of [`seq/${seq}`, 'evidence/closed', evidence])
    mustHold(keys.includes(name), `unreadable files: ${name} is not named`);
  return 'an account that may not read some of them names those';
}

/**
 * Links in the place of the folders that lockkeeper writes to: nothing is made, and above all nothing is swept, where
 * they lead.
 */
async function ownFolders(log: string, exported: string, place: string): Promise<string> {
  const precious = mkdtempSync(join(place, 'precious-'));
  const kept = join(precious, 'kept');
  writeFileSync(kept, 'x');
  utimesSync(kept, 1, 1);
  const isWhole = () => isThere(kept) && readdirSync(precious).length === 1;
  const folders = [
    'log/~lockkeeper/unfinished',
    'log/~lockkeeper',
    'log/cp',
    'log/seq',
    'state/audit',
    'state/~lockkeeper/unfinished',
  ];
  for (const folder of folders) {
    const at = join(place, 'linked');
    cpSync(log, at, { recursive: true });
    rmSync(join(at, folder), { recursive: true });
    symlinkSync(precious, join(at, folder));
    await sealAndLookAt(at);
    mustHold(isWhole(), `seal wrote or swept where ${folder} leads`);
    rmSync(at, { recursive: true });
  }
  for (const folder of ['~unfinished', 'tile', 'tile/0', 'evidence']) {
    const out = join(place, 'out');
    cpSync(exported, out, { recursive: true });
    rmSync(join(out, folder), { recursive: true, force: true });
    symlinkSync(precious, join(out, folder));
    await inTime(() => exportTo(out, log), limitMs);
    mustHold(isWhole(), `export wrote or swept where ${folder} leads`);
    rmSync(out, { recursive: true });
  }
  const endless = join(place, 'endless');
  cpSync(log, endless, { recursive: true });
  writeFileSync(join(endless, 'log/inbox/2026-10-01/huge'), '');
  truncateSync(join(endless, 'log/inbox/2026-10-01/huge'), 2 ** 40);
  const { size, refused } = await sealAndLookAt(endless);
  mustHold((size ?? 0) > 26 && refused !== undefined, 'seal does not go on past a huge file in the inbox');
  return `${folders.length + 4} links in the place of own folders are written and swept through by neither seal nor export`;
}

/** Somebody who may write to the log's directory keeps verify from its end, or has seal and export work elsewhere. */
export const attack: Attack = {
  number: 8,
  about: 'hostile things in a log directory',
  run,
  switchedBack: [
    {
      name: 'a-file-that-is-opened-and-waited-for',
      file: 'shared/objects/file-state.ts',
      find: 'constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY',
      replace: 'constants.O_RDONLY',
    },
    {
      name: 'a-verification-that-ends-at-what-it-cannot-read',
      file: 'shared/audit/verify/as-found.ts',
      find: '        return noted(key, thrown);',
      replace: '        throw thrown;',
    },
    {
      name: 'names-that-are-no-utf-8',
      file: 'shared/objects/file-names.ts',
      find: 'isUtf8(bytes) ? bytes.toString() : undefined',
      replace: 'bytes.toString()',
    },
    {
      name: 'files-read-whatever-their-size',
      file: 'shared/objects/size-limit.ts',
      find: 'bytes === undefined || bytes <= most',
      replace: 'bytes === undefined || bytes <= Infinity',
    },
    {
      name: 'own-folders-that-are-links',
      file: 'shared/objects/file-folders.ts',
      find: '    if (kind !== undefined) throw noObject(path, kind);',
      replace: '',
    },
    {
      name: 'a-million-findings-that-hide-the-others',
      file: 'shared/audit/verify/findings.ts',
      find: 'this.#first.length < keptAtMost || ofGroup <= keptOfEach',
      replace: 'this.#first.length < keptAtMost',
    },
  ],
};
