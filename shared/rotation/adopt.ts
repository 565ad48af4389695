import { LockkeeperError } from '../base/error.ts';
import { begun } from './advance.ts';
import { obstacles } from './begin.ts';
import { journals } from './journal.ts';
import type { RotationDeps } from './plan.ts';
import { audited } from './recorded.ts';
import { currentLogins, type Seen } from './seen.ts';
import { tellLogin } from './told.ts';
import { look } from './under-way.ts';

/** What stands between a credential and its first rotation. */
export interface AdoptReport {
  readonly credential: string;
  /** True where lockkeeper rotates it on schedule from now on. */
  readonly adopted: boolean;
  /** What a person must fix first, in order, each with the SQL or the words that do it. Empty: adopted. */
  readonly problems: readonly string[];
  /** The SQL out of `problems` alone, to be read and run by a person. */
  readonly sql: readonly string[];
}

/**
 * Checks that a credential can be rotated without locking anybody out, and from then on counts it as lockkeeper's: its
 * first rotation is due one interval later. It changes nothing at the service or in the stores. Repeatable.
 */
export async function adopt(deps: RotationDeps): Promise<AdoptReport> {
  const held = await journals(deps.state, deps.world).read(deps.plan.name);
  const seen = await look({ deps, held });
  const problems = [...obstacles(seen, deps.plan.acceptDowntime), ...unequal(seen)];
  if (problems.length === 0) problems.push(...(await refusals(deps, seen)));
  if (problems.length === 0 && !held) await remember(deps, seen);
  return { credential: deps.plan.name, adopted: problems.length === 0, problems, sql: seen.service.fixes };
}

function unequal(seen: Seen): readonly string[] {
  const { service } = seen;
  if (service.strategy !== 'alternating' || service.slotsEqual || service.problems.length > 0) return [];
  return ['The two users do not see the same objects and rights. Make them equal.'];
}

async function refusals(deps: RotationDeps, seen: Seen): Promise<readonly string[]> {
  const found: string[] = [];
  for (const login of currentLogins(seen)) {
    const refusing = (await deps.service.accepts(login)).filter((answer) => !answer.accepted);
    if (refusing.length > 0)
      found.push(
        `What the stores hand out for ${login.slot} is refused at ${refusing.map((answer) => answer.endpoint).join(', ')}. Put the login that consumers really use there.`,
      );
  }
  return found;
}

async function remember(deps: RotationDeps, seen: Seen): Promise<void> {
  const { plan, world } = deps;
  const [current] = currentLogins(seen);
  if (!current) throw new LockkeeperError('bug', `${plan.name} was found ready without a login`);
  const rotation = `adopted-${Buffer.from(world.random(8)).toString('hex')}`;
  const copies = seen.copies.map((copy) => ({
    store: copy.store,
    secret: copy.secret,
    from: null,
    staged: null,
    published: copy.current?.id ?? null,
    retired: false,
  }));
  const draft = begun(
    undefined,
    { do: 'plan', target: current.slot, copies, resume: undefined },
    { credential: plan.name, rotation, now: world.now() },
  );
  const details = tellLogin(deps, seen.copies, current);
  await audited({ deps, held: undefined }, { action: 'rotation.adopt', rotation, details }, () => {
    return journals(deps.state, world).write(undefined, { ...draft, phase: 'done', finishedAt: world.now() });
  });
}
