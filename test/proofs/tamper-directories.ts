import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { VerifyReport } from '../../shared/audit/verify/report.ts';
import { seeded } from '../audit/seeded.ts';
import { makeExport, makeLog, Template, trustedKey } from './hostile/ground.ts';
import { flipOne, pick, plantOne, type Flipped, type Ground, type Planted } from './hostile/plant.ts';
import { hostileThings, quickPlace } from './hostile/things.ts';
import { inTime, run, verified, type OtherVerb } from './hostile/verbs.ts';
import type { Tampering } from './tamper-flips.ts';

/** What one verb on one directory may take. */
const mostMs = 10_000;

/**
 * Random hostile directories: a live log or an export in which one to six things lie that no store writes, beside
 * tampering of the usual kind. verify, and on most of them one of seal, show and export, must end in time; verify must name
 * every planted thing, find all that it finds where those things are simply absent, and nothing else. `left` names
 * things that could not be made here.
 */
export async function hostileDirectories({
  seed,
  rounds,
}: {
  readonly seed: number;
  readonly rounds: number;
}): Promise<{ readonly done: Tampering; readonly left: readonly string[] }> {
  const place = quickPlace();
  const temporary = process.env['TMPDIR'];
  // Tables that are derived again are written there.
  process.env['TMPDIR'] = place;
  try {
    const { things, left } = await hostileThings(place);
    const grounds = await groundsIn(place);
    const at: Place = { place, key: await trustedKey(), known: new Map() };
    const done: Tampering = { made: 0, unseen: [] };
    for (const { template } of grounds) await expectClean(template, at.key, done);
    for (let round = 0; round < rounds; round += 1) {
      const random = seeded(seed * 100_003 + round);
      const ground = { ...groundOf(grounds, random()), things, random };
      const faults = await oneRound(ground, at);
      done.made += 1;
      done.unseen.push(...faults.map((fault) => `round ${round} of ${seed}: ${fault}`));
    }
    return { done, left };
  } finally {
    if (temporary === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = temporary;
    rmSync(place, { recursive: true, force: true });
  }
}

interface Made extends Pick<Ground, 'template' | 'root'> {
  /** Of all directories so many are this one. */
  readonly share: number;
}

/**
 * Most directories are small, and some a copy of the log store alone; a log with full tiles, and an export with Parquet
 * files, take longer to verify.
 */
async function groundsIn(place: string): Promise<readonly Made[]> {
  const at = (name: string) => join(place, `template-${name}`);
  await makeLog(at('small'), [5, 3, 2]);
  await makeLog(at('alone'), [4, 2]);
  rmSync(join(at('alone'), 'state'), { recursive: true });
  await makeLog(at('large'), [150, 120, 20]);
  await makeExport(at('small'), at('csv'), ['tiles', 'csv']);
  await makeExport(at('large'), at('full'), ['tiles', 'csv', 'parquet']);
  return [
    { template: new Template(at('small')), root: 'log/', share: 0.38 },
    { template: new Template(at('alone')), root: 'log/', share: 0.4 },
    { template: new Template(at('large')), root: 'log/', share: 0.01 },
    { template: new Template(at('csv')), root: '', share: 0.208 },
    { template: new Template(at('full')), root: '', share: 0.002 },
  ];
}

function groundOf(grounds: readonly Made[], chance: number): Made {
  let left = chance;
  for (const made of grounds) {
    left -= made.share;
    if (left < 0) return made;
  }
  throw new Error('the shares are less than one');
}

/** Where nothing was planted nothing may be found. */
async function expectClean({ directory }: Template, key: string, done: Tampering): Promise<void> {
  const { findings } = await verified(directory, key);
  done.made += 1;
  if (findings.length > 0) done.unseen.push(`a false alarm: ${JSON.stringify(findings.slice(0, 3))}`);
}

interface Place {
  readonly place: string;
  readonly key: string;
  /** What verify found in directories without hostile things, by what was done to those. */
  readonly known: Map<string, VerifyReport['findings']>;
}

async function oneRound(ground: Ground, at: Place): Promise<readonly string[]> {
  const { template, random } = ground;
  const hostile = join(at.place, 'hostile');
  template.copyTo(hostile);
  const flipped = random() < 0.4 ? flipOne(ground, hostile) : undefined;
  const planted = plantSome(ground, hostile);
  const faults: string[] = [];
  const said = await inTime(() => verified(hostile, at.key), mostMs);
  if ('fault' in said) faults.push(`verify ${said.fault}`);
  else faults.push(...lostOrInvented(said.came, await findingsWithout(ground, { flipped, planted }, at), planted));
  const verb = pick<OtherVerb>(template.files.includes('checkpoint') ? ['show'] : ['seal', 'show', 'export'], random);
  if (random() < 0.3) {
    const done = await inTime(() => run(verb, { dir: hostile, out: join(at.place, 'out') }), mostMs);
    if ('fault' in done && !done.isRefusal) faults.push(`${verb} ${done.fault}`);
  }
  const about = [...(flipped ? [`a bit of ${flipped.file}`] : []), ...planted.map(({ what }) => what)].join('; ');
  return faults.map((fault) => `${about}: ${fault}`);
}

/** One to six things; an empty folder is the last of them. */
function plantSome(ground: Ground, hostile: string): readonly Planted[] {
  const planted: Planted[] = [];
  const taken = new Set<string>();
  for (let left = 1 + Math.floor(ground.random() * 6); left > 0; left -= 1) {
    const one = plantOne({ ...ground, taken }, hostile);
    if (!one) continue;
    planted.push(one);
    if (one.inPlaceOf !== undefined) taken.add(one.inPlaceOf);
    if (one.isAbsence === true) break;
  }
  return planted;
}

interface Changes {
  readonly flipped: Flipped | undefined;
  readonly planted: readonly Planted[];
}

/** What is found where nothing hostile was planted, and what hostile things took the place of is absent. */
async function findingsWithout(
  { template }: Ground,
  { flipped, planted }: Changes,
  { place, key, known }: Place,
): Promise<VerifyReport['findings']> {
  const absent = planted.flatMap(({ inPlaceOf }) => inPlaceOf ?? []).toSorted();
  // That is the clean copy, in which nothing is found.
  if (flipped === undefined && absent.length === 0) return [];
  const name = JSON.stringify([template.directory, flipped?.file, flipped?.bit, absent]);
  const found = known.get(name);
  if (found) return found;
  const at = join(place, 'absent');
  template.copyTo(at);
  flipped?.writeTo(at);
  for (const file of absent) rmSync(join(at, file));
  const { findings } = await verified(at, key);
  known.set(name, findings);
  return findings;
}

/** What was planted and not named, found without it and not with it, or found though nothing is there. */
function lostOrInvented(
  { findings }: VerifyReport,
  without: VerifyReport['findings'],
  planted: readonly Planted[],
): readonly string[] {
  const isOf = (key: string, thing: Planted) =>
    key === thing.key || key.startsWith(`${thing.key}/`) || thing.key.startsWith(`${key}/`);
  const unnamed = planted.filter((thing) => thing.isAbsence !== true && !findings.some(({ key }) => isOf(key, thing)));
  // Without it the batch before is missing; with it that is there, and told as what cannot be read.
  const followsOne = (key: string) =>
    planted.some((thing) => thing.inPlaceOf !== undefined && nextOf(thing.key) === key);
  const lost = without.filter(
    ({ key, kind }) =>
      !(kind === 'omitted' && followsOne(key)) &&
      !findings.some((one) => one.key === key && (one.kind === kind || one.kind === 'unreadable')) &&
      !planted.some((thing) => isOf(key, thing)),
  );
  const invented = findings.filter(
    ({ key }) => !without.some((one) => one.key === key) && !planted.some((thing) => isOf(key, thing)),
  );
  return [
    ...unnamed.map(({ key, what }) => `${what} is not named: ${JSON.stringify(key)}`),
    ...lost.map(({ key, kind }) => `lost: ${kind} ${key}`),
    ...invented.map(({ key, kind, what }) => `invented: ${kind} ${key} ${what}`),
  ];
}

/** The key of the batch after this one. */
function nextOf(key: string): string {
  return key.replace(/\d{8}$/, (digits) => String(Number(digits) + 1).padStart(8, '0'));
}
