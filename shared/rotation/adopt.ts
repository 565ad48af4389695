import { LockkeeperError } from '../base/error.ts';
import { whyLater } from './decisions/begin.ts';
import { adopted } from './decisions/begun.ts';
import { journals } from './journal/journals.ts';
import { obstacles } from './decisions/obstacles.ts';
import type { RotationDeps } from './plan.ts';
import { audited } from './effects/recorded.ts';
import { currentLogins, unfitText, verdictOn, type Seen } from './decisions/seen.ts';
import { ask } from './effects/service-effects.ts';
import { tellLogin } from './effects/told.ts';
import { look, seenBy, type Run } from './effects/under-way.ts';

/** What stands between a credential and its first rotation. */
export interface AdoptReport {
  readonly credential: string;
  /** True where lockkeeper rotates it on schedule from now on. */
  readonly adopted: boolean;
  /** When its next rotation begins by itself; undefined where that is now, or where it was not adopted. */
  readonly begins: string | undefined;
  /** What a person must fix first, in order, each with the SQL or the words that do it. Empty: adopted. */
  readonly problems: readonly string[];
  /** Why consumers may be refused all the same, each with what to do. They keep nobody from adopting. */
  readonly risks: readonly string[];
  /** The SQL out of `problems` alone, to be read and run by a person. */
  readonly sql: readonly string[];
}

/**
 * Checks that a credential can be rotated without locking anybody out, and from then on counts it as lockkeeper's: its
 * first rotation is due one interval later, or when its calendar says. It changes nothing at the service or in the stores.
 * Repeatable.
 */
export async function adopt(deps: RotationDeps): Promise<AdoptReport> {
  const run = await runFor(deps);
  const seen = await look(run);
  run.seen = seen;
  const problems = [...obstacles(seen, deps.plan), ...underWay(run)];
  if (problems.length === 0) problems.push(...(await refusals(run)));
  if (problems.length === 0 && !run.held?.journal.adopted) await remember(run);
  return {
    credential: deps.plan.name,
    adopted: problems.length === 0,
    begins: problems.length === 0 ? whyLater(run.held?.journal, deps.plan, deps.world.now()) : undefined,
    problems,
    risks: seen.service.risks,
    sql: seen.service.fixes,
  };
}

/** A run that only looks and asks. */
export async function runFor(deps: RotationDeps): Promise<Run> {
  const store = journals(deps.state, deps.world);
  const held = await store.read(deps.plan.name);
  return { deps, request: {}, journals: store, steps: [], hasBegun: true, held, seen: undefined, isMute: true };
}

function underWay({ held, deps }: Run): readonly string[] {
  if (!held || held.journal.adopted) return [];
  if (held.journal.phase === 'done' && held.journal.orders.length === 0) return [];
  return [
    `An emergency rotation is under way. Let it end first: \`lockkeeper rotate ${deps.plan.name}\` goes on with it.`,
  ];
}

async function refusals(run: Run): Promise<readonly string[]> {
  await ask(run, { do: 'ask', candidate: 'current', logins: currentLogins(seenBy(run)) });
  return currentLogins(seenBy(run)).flatMap((login) => doubts(seenBy(run), login));
}

function doubts(seen: Seen, login: ReturnType<typeof currentLogins>[number]): readonly string[] {
  const verdict = verdictOn(seen, login);
  const { refused = [], silent = [], inClear = [], unfit = [] } = verdict ?? {};
  const found: string[] = [];
  if (refused.length > 0)
    found.push(
      `What the stores hand out for ${login.slot} is refused at ${refused.join(', ')}. Put the login that consumers really use there.`,
    );
  if (silent.length > 0) {
    const answers = seen.heard.flatMap((one) => one.answers);
    const why = answers.find(({ endpoint }) => endpoint === silent[0])?.error;
    found.push(`${silent.join(', ')} does not answer: ${why?.message ?? 'no endpoint was asked'}. Make it reachable.`);
  }
  if (inClear.length > 0)
    found.push(
      `The login at ${inClear.join(', ')} was not encrypted, although TLS is promised. Check the server's TLS.`,
    );
  if (unfit.length > 0)
    found.push(`What the stores hand out for ${login.slot} logs in, but could do no work ${unfitText({ unfit })}`);
  return found;
}

async function remember(run: Run): Promise<void> {
  const { deps, held } = run;
  const { plan, world } = deps;
  const seen = seenBy(run);
  const [current] = currentLogins(seen);
  if (!current) throw new LockkeeperError('bug', `${plan.name} was found ready without a login`);
  const rotation = `adopted-${Buffer.from(world.random(8)).toString('hex')}`;
  const copies = seen.copies.map(({ store, secret, current: live }) => ({
    store,
    secret,
    expects: null,
    staged: null,
    published: live?.id ?? null,
    ends: [],
    ended: [],
  }));
  const start = { credential: plan.name, rotation, now: world.now() };
  const draft = adopted(held?.journal, { target: current.slot, copies }, start);
  const details = tellLogin(deps, seen.copies, current);
  await audited(run, { action: 'rotation.adopt', rotation, details }, async () => {
    run.held = await run.journals.write(held, draft);
  });
}
