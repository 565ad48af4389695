import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { auditExportVerb } from '../../functions/cli/audit-export.ts';
import { exportDeps } from '../../functions/cli/audit-export-wire.ts';
import { auditShowVerb } from '../../functions/cli/audit-show.ts';
import { auditVerifyVerb } from '../../functions/cli/audit-verify.ts';
import { auditDeps } from '../../functions/cli/audit-wire.ts';
import { auditLog } from '../../shared/audit/log.ts';
import type { VerifyReport } from '../../shared/audit/verify/report.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { seeded } from '../audit/seeded.ts';
import { logAt, makeExport, makeLog, Template, trustedKey } from './hostile/ground.ts';
import { flipOne, pick, plantOne, type Ground, type Planted } from './hostile/plant.ts';
import { hostileThings, quickPlace } from './hostile/things.ts';
import type { Tampering } from './tamper-flips.ts';

const noConfig = async () => await Promise.reject(new LockkeeperError('not-found', 'no configuration'));

/** What a part of the proof may take: for one verb on one directory, and for the whole process. */
const most = { ms: 10_000, megabytes: 900 };

/**
 * Random hostile directories: a live log or an export in which one to six things lie that no store writes, beside
 * tampering of the usual kind. verify, and on most of them one of seal, show and export, must end in time and memory; verify must name
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
  try {
    const { things, left } = await hostileThings(place);
    const grounds = await groundsIn(place);
    const key = await trustedKey();
    const done: Tampering = { made: 0, unseen: [] };
    for (const { template } of grounds) await expectClean(template, key, done);
    for (let round = 0; round < rounds; round += 1) {
      const random = seeded(seed * 100_003 + round);
      const ground = { ...groundOf(grounds, random()), things, random };
      const faults = await oneRound(ground, { place, key });
      done.made += 1;
      done.unseen.push(...faults.map((fault) => `round ${round} of ${seed}: ${fault}`));
    }
    const megabytes = process.resourceUsage().maxRSS / 1_024;
    if (megabytes > most.megabytes) done.unseen.push(`the process took ${Math.round(megabytes)} MB`);
    return { done, left };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

interface Made extends Pick<Ground, 'template' | 'root'> {
  /** Of all directories so many are this one. */
  readonly share: number;
}

/** Most directories are small; a log with full tiles, and an export with Parquet files, take longer to verify. */
async function groundsIn(place: string): Promise<readonly Made[]> {
  const [small, large, csv, full] = ['small', 'large', 'csv', 'full'].map((name) => join(place, `template-${name}`));
  if (small === undefined || large === undefined || csv === undefined || full === undefined)
    throw new Error('no places');
  await makeLog(small, [12, 6, 3]);
  await makeLog(large, [150, 120, 20]);
  await makeExport(small, csv, ['tiles', 'csv']);
  await makeExport(large, full, ['tiles', 'csv', 'parquet']);
  return [
    { template: new Template(small), root: 'log/', share: 0.77 },
    { template: new Template(large), root: 'log/', share: 0.02 },
    { template: new Template(csv), root: '', share: 0.205 },
    { template: new Template(full), root: '', share: 0.005 },
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
}

async function oneRound(ground: Ground, { place, key }: Place): Promise<readonly string[]> {
  const { template, random } = ground;
  const [hostile, absent] = [join(place, 'hostile'), join(place, 'absent')];
  for (const directory of [hostile, absent]) template.copyTo(directory);
  const flipped = random() < 0.5 ? flipOne(ground, hostile, absent) : undefined;
  const planted: Planted[] = [];
  for (let left = 1 + Math.floor(random() * 6); left > 0; left -= 1) {
    const one = plantOne(ground, hostile, absent);
    if (one) planted.push(one);
    if (one && one.isAbsence === true) break;
  }
  const about = `${[flipped === undefined ? '' : `a bit of ${flipped}`, ...planted.map(({ what }) => what)].filter(Boolean).join('; ')}: `;
  const faults: string[] = [];
  const said = await inTime(() => verified(hostile, key));
  if ('fault' in said) faults.push(`verify ${said.fault}`);
  else {
    // Where nothing of its own is gone or changed it is the clean copy, in which nothing is found.
    const isWhole = flipped === undefined && !planted.some(({ isInPlace }) => isInPlace === true);
    faults.push(...lostOrInvented(said.came, isWhole ? [] : (await verified(absent, key)).findings, planted));
  }
  const verb = pick(template.files.includes('checkpoint') ? ['show'] : ['seal', 'show', 'export'], random);
  if (random() < 0.6) faults.push(...(await otherVerb(verb, hostile, place)));
  return faults.map((fault) => about + fault);
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
  const lost = without.filter(
    ({ key, kind }) =>
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

async function verified(dir: string, key: string): Promise<VerifyReport> {
  const lines: string[] = [];
  await auditVerifyVerb({ dir, key }, auditDeps(noConfig), screen(lines));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the verb prints
  return JSON.parse(lines.join('\n')) as VerifyReport;
}

/** seal, show and export go on, or refuse with an error that is none of our own defects. */
async function otherVerb(verb: string, hostile: string, place: string): Promise<readonly string[]> {
  const said = await inTime(async () => {
    if (verb === 'seal') return await auditLog({ ...logAt(hostile), run: 'later' }).seal();
    if (verb === 'show') return await auditShowVerb({ dir: hostile }, auditDeps(noConfig), screen([]));
    const out = join(place, 'out');
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out);
    return await auditExportVerb({ dir: hostile, out, format: 'tiles' }, exportDeps(noConfig), screen([]));
  });
  return 'fault' in said && !said.isRefusal ? [`${verb} ${said.fault}`] : [];
}

function screen(lines: string[]) {
  return {
    out: (line: string) => void lines.push(line),
    err: () => undefined,
    json: true,
    signal: new AbortController().signal,
  };
}

type Said<Came> = { readonly came: Came } | { readonly fault: string; readonly isRefusal: boolean };

async function inTime<Came>(act: () => Promise<Came>): Promise<Said<Came>> {
  const late = new AbortController();
  try {
    return await Promise.race([
      act().then((came) => ({ came })),
      wait(most.ms, undefined, { signal: late.signal }).then(() => ({ fault: `took ${most.ms} ms`, isRefusal: false })),
    ]);
  } catch (thrown) {
    const isRefusal =
      thrown instanceof LockkeeperError &&
      thrown.code !== 'bug' &&
      thrown.code !== 'unreachable' &&
      thrown.code !== 'throttled';
    return { fault: `threw ${String(thrown)}`, isRefusal };
  } finally {
    late.abort();
  }
}
