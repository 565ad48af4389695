import { admit } from '../../functions/cli/audit-admit.ts';
import { postHead } from '../../functions/local/head-job.ts';
import { auditLog, type RunLog } from '../../shared/audit/log.ts';
import { recentEntries } from '../../shared/audit/recent.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { after, day, hour, minute } from '../../shared/base/time.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import { ClosureJournal } from '../../shared/idle-ports/closing/closure-journal.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import { answerStories } from '../../shared/idle-ports/closing/said.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { watchClosed } from '../../shared/idle-ports/closing/watch.ts';
import { memoryObjects, type MemoryBucket } from '../../shared/objects/memory.ts';
import { MemoryReceiver, memoryRefresh } from '../../shared/refreshes/memory.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { checkDrift } from '../../shared/rotation/drift/check.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { signReview } from '../../shared/rotation/reviews/review-signing.ts';
import { rotate, type RotationReport } from '../../shared/rotation/run.ts';
import type { RotateRequest } from '../../shared/rotation/effects/under-way.ts';
import { MemoryAuthority, memoryIssuer } from '../../shared/services/memory-issuer.ts';
import { collect } from '../../shared/usage/collect.ts';
import { ClosingPlace, row, rule } from '../idle-ports/closing-world.ts';
import { makePlace, putByHand, withOther, type Place } from '../rotation/place.ts';
import { hourlyLog, start } from '../usage/made-log.ts';
import { testWorld, type TestWorld } from '../world.ts';
import { place, tamper, writer, type LogPlace } from './place.ts';

/** What came out of a whole life besides its log. */
export interface Life {
  readonly at: LogPlace;
  /** What runs reported, and errors. */
  readonly said: readonly unknown[];
  /** What people were asked and told. */
  readonly people: readonly unknown[];
  readonly states: readonly MemoryBucket[];
}

/** What a careless driver has in its errors: it may stand in the report of the run, and nowhere that lasts. */
export const looseWords = 'Password=loose-words-hunter2';

/**
 * Everything that lockkeeper ever puts into a log, in one log: closings, rotations of credentials with the value
 * `first`, collecting, a posted head.
 */
export async function wholeLife(first: string): Promise<Life> {
  const at = place();
  const closing = await closings(at, first);
  const rotation = await rotations(at, first);
  const issued = await issuing(at, first);
  const usage = await usages(at);
  return {
    at,
    said: [...closing.said, ...rotation.said, ...issued.said, ...usage],
    people: [closing.people, rotation.people, issued.people],
    states: [...closing.states, ...rotation.states, ...issued.states],
  };
}

const logged = (at: LogPlace, stories: readonly string[]) =>
  recentEntries({ log: at.log, writer: async () => writer, stories });
const log = (at: LogPlace, world: TestWorld, run: string): RunLog => auditLog({ ...at, world, run, version: '0.1.0' });

async function usages(at: LogPlace): Promise<readonly unknown[]> {
  const world = testWorld(new Date(after(start, day)).toISOString());
  const audit = log(at, world, 'usage');
  const report = await collect({ flowLog: hourlyLog(6).log, state: memoryObjects(), world, audit });
  const planted = squat(at, '/usage.');
  await audit.end();
  await admit([planted], { audit, log: at.log, account: 'anna@here' });
  const told: unknown[] = [];
  await postHead({ audit, world, notify: async (notice) => void told.push(notice) });
  await audit.end();
  return [report, ...told];
}

/** Puts something where the run of this name would write next; tells where. */
function squat({ bucket }: LogPlace, run: string): string {
  const keys = [...bucket.objects.keys()].filter((key) => key.includes(run));
  const last = keys.toSorted().at(-1) ?? '';
  const next = `${last.slice(0, -8)}${String(Number(last.slice(-8)) + 1).padStart(8, '0')}`;
  tamper(bucket, next, Buffer.from('squatted'));
  return next;
}

const names = 'apply auto deny snooze exempt drift found refuse settle void secret'.split(' ');

async function closings(at: LogPlace, secret: string): Promise<Omit<Life, 'at'>> {
  const here = new ClosingPlace(
    names.map((name, index) =>
      rule(name, {
        ports: { from: index + 1, to: index + 1 },
        ...(name === 'secret' && { tags: { password: secret } }),
      }),
    ),
  );
  here.policy = { ...here.policy, maxPerService: 99, maxQuestionsPerRun: 99, maxClosuresPerRun: 99 };
  const audit = log(at, here.world, 'closing');
  const said = logged(at, answerStories);
  const deps = () => ({ ...here.deps(), said, audit, evidence: at.log, account: 'ann@laptop' });
  const answers: unknown[] = [];
  const answer = async (...[who, word, opening, rest]: Parameters<ClosingPlace['says']>) =>
    answers.push(await takeAnswer(deps(), await here.says(who, word, opening, rest)));
  answers.push(await scan(deps(), await here.judgement()));
  await answer('eve', 'approve', 'apply');
  for (const opening of ['apply', 'auto', 'drift', 'found', 'refuse', 'settle'])
    for (const who of ['ann', 'ben']) await answer(who, 'approve', opening);
  await answer('ann', 'deny', 'deny');
  for (const word of ['snooze', 'exempt'] as const)
    await answer('ben', word, word, { until: after(here.world.now(), 20 * day) });
  here.verdicts.set('void', { verdict: 'used' });
  answers.push(await scan({ ...deps(), policy: { ...here.policy, maxQuestionsPerRun: 0 } }, await here.judgement()));
  here.network.rules.set('drift', rule('drift', { description: 'edited' }));
  const [net] = here.deps().firewalls.values();
  if (!net) throw new Error('no firewall');
  const apply: typeof net.apply = async (prepared) => {
    if (prepared.change.opening === 'refuse') throw new LockkeeperError('rejected', `the cloud refuses: ${looseWords}`);
    return net.apply(prepared);
  };
  answers.push(await closeApproved({ ...deps(), firewalls: new Map([['net', { ...net, apply }]]) }, here.hooks()));
  await watchAll(here, { deps, said: answers });
  const { hash } = await here.closure('apply');
  const held = () => new ClosureJournal(here.deps().state).find(hash);
  await reopen(deps(), await held(), { who: 'eve', why: 'mine' }).catch((thrown: unknown) => answers.push(thrown));
  answers.push(await reopen(deps(), await held(), { who: 'ann', why: 'month end' }));
  here.world.pass(30 * day);
  await watchAll(here, { deps, said: answers });
  await audit.end();
  return { said: answers, people: [here.board], states: [here.bucket] };
}

/** A stranger knocks, a known client knocks at `auto`, somebody puts `found` back by hand. */
async function watchAll(
  here: ClosingPlace,
  { deps, said }: { readonly deps: () => ReturnType<ClosingPlace['deps']>; readonly said: unknown[] },
): Promise<void> {
  here.world.pass(hour);
  here.policy = { ...here.policy, knownSources: ['10.7.0.0/16'] };
  const knockAt = (who: string, port: number) =>
    here.rows.push(row(who, after(here.world.now(), -10 * minute), { port }));
  if (here.network.rules.size < names.length) knockAt('10.6.6.6', names.indexOf('apply') + 1);
  knockAt('10.7.0.1', names.indexOf('auto') + 1);
  here.network.rules.set('found', rule('found'));
  said.push(await watchClosed(deps(), here.hooks()));
}

/**
 * An import over a crashed one, an adoption, a rotation to its end, a blocked one, one overruled, a leak, a value put
 * in by hand.
 */
async function rotations(at: LogPlace, first: string): Promise<Omit<Life, 'at'>> {
  const here = await makePlace();
  const audit = log(at, here.world, 'rotation');
  const said: unknown[] = [];
  const deps = (): RotationDeps => ({ ...here.deps(), audit, actor: 'ann', account: 'ann@laptop' });
  await imported(here, first, deps());
  said.push(await adopt(deps()));
  const until = async (request: RotateRequest, outcome: RotationReport['outcome'], ours = deps()) => {
    for (let runs = 0; runs < 15; runs += 1) {
      const report = await rotate(ours, runs === 0 || !request.leaked ? request : {});
      said.push(report);
      if (report.outcome === outcome) return;
      here.world.pass(Math.max((report.until ?? 0) - here.world.now(), hour));
    }
    throw new Error(`it was never ${outcome}: ${JSON.stringify(said.at(-1))}`);
  };
  await until({ now: true }, 'blocked', changedByHand(here, first, deps()));
  await until({ now: true }, 'done');
  let refusals = 0;
  here.host.policy = () => (refusals++ < 9 ? `no good: ${looseWords}` : undefined);
  await until({ now: true }, 'blocked');
  await until({ now: true }, 'done');
  const { service } = deps();
  const accepts: typeof service.accepts = async ({ slot }) => [
    { endpoint: 'memory', answer: slot === 'app_a' ? 'accepted' : 'refused', encrypted: false },
  ];
  await until({ now: true }, 'blocked', { ...deps(), service: withOther(service, { accepts }) });
  await until({ now: true }, 'done');
  await until({ leaked: { reason: 'found in a chat' }, now: true }, 'done');
  const signing = { ...deps(), approvers: () => ['ben'], said: logged(at, ['rotation']) };
  const rotation = here.journal()?.rotation ?? '';
  for (const who of ['ben', 'eve']) said.push(await signReview(signing, { rotation, who, why: looseWords }));
  await audit.end();
  return { said, people: [here.told], states: [here.bucket] };
}

/**
 * Values that an authority issues; consumers that are told to read again, and one that cannot be; people who go back to
 * the value before; a rotation that cannot begin, which a check for drift finds too.
 */
async function issuing(at: LogPlace, first: string): Promise<Omit<Life, 'at'>> {
  const windows = [{ opens: '0 0 * * *', lastsMs: day }];
  const calendar = { timeZone: 'UTC', windows, jitterMs: 0 };
  const plan = { name: 'api-key', refreshes: ['web', 'nobody'], calendar };
  const here = await makePlace({ strategy: 'additive', plan, host: { value: { kind: 'issued' } } });
  const audit = log(at, here.world, 'issuing');
  const issuer = memoryIssuer(new MemoryAuthority(here.world));
  const refreshes = { web: memoryRefresh(new MemoryReceiver()) };
  const deps = (): RotationDeps => ({ ...here.deps(), audit, issuer, refreshes });
  await imported(here, first, deps());
  const said: unknown[] = [await rotate(deps(), { now: true })];
  here.vaults['one']?.rollBack('app-db');
  here.vaults['two']?.rollBack('app/db');
  for (let runs = 0; runs < 3; runs += 1) {
    here.world.pass(day);
    said.push(await rotate(deps()));
  }
  here.host.problems = [`not ready: ${looseWords}`];
  here.world.pass(30 * day);
  said.push(await rotate(deps()), await checkDrift(deps()));
  here.world.pass(9 * day);
  said.push(await rotate(deps()));
  here.host.problems = [];
  said.push(await checkDrift(deps()));
  await audit.end();
  return { said, people: [here.told], states: [here.bucket] };
}

/** Somebody puts a value into a store while the new one is tried, once. */
function changedByHand(here: Place, first: string, deps: ReturnType<Place['deps']>): ReturnType<Place['deps']> {
  let times = 0;
  const accepts: typeof deps.service.accepts = async (login) => {
    if (login.slot === 'app_b' && times++ === 0) putByHand(here, 'app_a', first);
    return await deps.service.accepts(login);
  };
  return { ...deps, service: withOther(deps.service, { accepts }) };
}

async function imported(here: Place, first: string, deps: ReturnType<Place['deps']>): Promise<void> {
  here.host.setByHand('app_a', first);
  for (const [name, vault] of Object.entries(here.vaults)) {
    vault.shelves.clear();
    vault.add(name === 'one' ? 'app-db' : 'app/db');
  }
  await deps.stores['two']?.stage(
    'app/db',
    'import-0',
    new Sealed(JSON.stringify({ username: 'app_b', password: first })),
  );
  await importLogin(deps, { slot: 'app_a', value: new Sealed(first) });
}

/** All that is ever done, in order of the alphabet: an action that is new in the code belongs here, and into a life. */
export const everyAction: readonly string[] = [
  'approval.void',
  'audit.admit',
  'closure.apply',
  'closure.found-open',
  'closure.knock',
  'closure.reopen',
  'closure.restore',
  'closure.settle',
  'decision.approve',
  'decision.deny',
  'decision.exempt',
  'decision.snooze',
  'log.occupied',
  'log.post-head',
  'proposal.ask',
  'proposal.receipt',
  'proposal.void',
  'rotation.abandon',
  'rotation.adopt',
  'rotation.block',
  'rotation.change',
  'rotation.clear',
  'rotation.done',
  'rotation.drift',
  'rotation.drift-over',
  'rotation.follow',
  'rotation.import',
  'rotation.issue',
  'rotation.login',
  'rotation.missed',
  'rotation.notify',
  'rotation.order',
  'rotation.plan',
  'rotation.promote',
  'rotation.rebase',
  'rotation.refresh',
  'rotation.refresh-failed',
  'rotation.replan',
  'rotation.retire',
  'rotation.retire-copy',
  'rotation.review',
  'rotation.review-sign',
  'rotation.stage',
  'rotation.unblock',
  'rotation.warn',
  'run.end',
  'run.start',
  'usage.collect',
];
