import { hasCode, LockkeeperError } from '../../base/error.ts';
import type { Sealed } from '../../base/sealed.ts';
import type { SecretStore, SecretVersion } from '../../secrets/contract.ts';
import type { Login } from '../../services/contract.ts';
import { drawValue } from './generate.ts';
import { changeCopy, guardOf, moveOn } from './moving.ts';
import type { CopyPlace } from '../plan.ts';
import { audited } from './recorded.ts';
import {
  copyOf,
  entryOf,
  newLogins,
  sameLogin,
  stagedIn,
  usable,
  versionIn,
  versionSeen,
  type CopySeen,
  type VersionSeen,
} from '../decisions/seen.ts';
import type { Of } from '../decisions/step.ts';
import { placeOf, tellVersion } from './told.ts';
import { hasMovedOn, heldBy, lookAgain, seenBy, storeOf, type Run } from './under-way.ts';

/**
 * The first value staged anywhere is the rotation's value; it is in memory only until it is durable in one store. The
 * answer of the write counts, not a second look.
 */
export async function stage(run: Run, step: Of<'stage'>): Promise<void> {
  const { journal } = heldBy(run);
  const copy = copyOf(seenBy(run), step.place);
  await unlessStoreFails(run, copy, async (call) => {
    const [known] = newLogins(journal, seenBy(run));
    const login = known ?? { slot: journal.target, value: await newValue(run) };
    const text = await call(async () => textWith(run, copy, login));
    const details = { ...placeOf(step.place), ...tellVersion(run.deps, { id: undefined, login }) };
    // Somebody else may have been first: the outcome tells the version and the value that count.
    const version = await withoutDeadOne(run, copy, () =>
      audited(
        run,
        { action: 'rotation.stage', details, told: (answer: VersionSeen) => tellVersion(run.deps, answer) },
        () =>
          call(async () => {
            const answer = await storeOf(run.deps, copy.store).stage(copy.secret, journal.rotation, text);
            return withLogin(versionSeen(answer, copy, seenBy(run).service.slots), copy);
          }),
      ),
    );
    changeCopy(run, copy, (one) => ({ ...one, pending: { ...version, rotation: journal.rotation } }));
    await moveOn(run, step, { version: version.id });
  });
}

/** What was staged, where a login can be read from it: else nothing could ever be published from it. */
function withLogin(version: VersionSeen, { store, secret, form }: CopySeen): VersionSeen {
  if (version.login) return version;
  throw new LockkeeperError(
    'invalid',
    `no login can be read as ${form.name} from what is staged in ${store}/${secret}`,
    {
      hint: 'Name a form that can hold it, or delete what is staged there; then run again.',
    },
  );
}

/** What the rotation before left staged may not be shown yet, and is in the way all the same: it is dead. */
async function withoutDeadOne<T>(run: Run, copy: CopySeen, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const before = heldBy(run).journal.past.at(-1);
    if (!hasCode(thrown, 'conflict') || before === undefined || (await hasMovedOn(run))) throw thrown;
    await abandon(run, { do: 'abandon', place: { store: copy.store, secret: copy.secret }, rotation: before });
    return await work();
  }
}

async function newValue(run: Run): Promise<Sealed> {
  const { journal } = heldBy(run);
  const { deps } = run;
  const { value } = seenBy(run).service;
  if (value.kind !== 'issued') return drawValue(value, deps.world);
  if (!deps.issuer)
    throw new LockkeeperError('invalid', `nobody issues values for ${deps.plan.name}`, {
      hint: 'Name its issuer in the configuration.',
    });
  const { issuer } = deps;
  const details = { slot: journal.target };
  return await audited(run, { action: 'rotation.issue', details }, () =>
    issuer.issue(journal.rotation, journal.target),
  );
}

/** The text of the copy with the new login in it. A store that holds nothing yet takes the text of another one. */
function textWith(run: Run, copy: CopySeen, login: Login): Sealed {
  const basis = copy.current?.login ? copy.current : usable(seenBy(run)).find((one) => one.current?.login)?.current;
  return copy.form.write(basis?.text, login, run.deps.plan.address);
}

/** What a rotation that was given up left staged, and issued. */
export async function abandon(run: Run, step: Of<'abandon'>): Promise<void> {
  const copy = copyOf(seenBy(run), step.place);
  await unlessStoreFails(run, copy, async (call) => {
    const gone = copy.pending?.rotation === step.rotation ? copy.pending : undefined;
    const details = { ...placeOf(step.place), abandoned: step.rotation, ...tellVersion(run.deps, gone) };
    await audited(run, { action: 'rotation.abandon', details }, async () => {
      await call(() => storeOf(run.deps, copy.store).abandon(copy.secret, step.rotation));
      await run.deps.issuer?.recall(step.rotation);
    });
    changeCopy(run, copy, (one) => ({ ...one, pending: undefined }));
  });
}

/** Publishes in one store. What it found instead of what was expected is looked at and decided on. */
export async function promote(run: Run, step: Of<'promote'>): Promise<void> {
  const copy = copyOf(seenBy(run), step.place);
  await unlessStoreFails(run, copy, async (call) => {
    const { journal } = heldBy(run);
    const staged = stagedIn(journal, copy);
    // It happened and the answer was lost: the store knows it by the id that was staged, which may be gone.
    const id = staged?.id ?? entryOf(journal, copy)?.staged ?? copy.current?.id;
    if (id === undefined) throw new LockkeeperError('bug', `${copy.store}/${copy.secret} has nothing to publish`);
    const details = { ...placeOf(copy), from: step.expects, ...tellVersion(run.deps, { id, login: step.login }) };
    const shown = (answer: SecretVersion) => versionSeen(answer, copy, seenBy(run).service.slots);
    const tell = (answer: SecretVersion) => tellVersion(run.deps, shown(answer));
    try {
      const version = await audited(run, { action: 'rotation.promote', details, told: tell }, () =>
        promoted(run, step, { copy, staged: { rotation: journal.rotation, id }, call }),
      );
      changeCopy(run, copy, (one) => ({
        ...one,
        asked: [...one.asked, ...[one.current, one.previous].flatMap((was) => was ?? [])],
        previous: one.current,
        current: shown(version),
        pending: undefined,
      }));
      await moveOn(run, step, { version: version.id });
    } catch (thrown) {
      if (!hasCode(thrown, 'conflict') || (await hasMovedOn(run))) throw thrown;
      const found = await lookAgain(run, copy);
      const live = found.current;
      if (step.login && live?.login && sameLogin(live.login, step.login)) {
        // Somebody published this very login by hand.
        changeCopy(run, copy, () => found);
        return await moveOn(run, step, { version: live.id });
      }
      // An emergency does not wait for one store that shows what was expected and yet refuses: the others go on.
      const isAlone = usable(seenBy(run)).length <= 1 || found.current?.id !== (step.expects ?? undefined);
      const trouble = journal.emergency && !isAlone ? thrown : found.trouble;
      changeCopy(run, copy, () => ({ ...found, trouble, refusedPromotion: true }));
    }
  });
}

/**
 * A store that compares by itself is simply asked. One that only checks is written to inside the service's own lock and
 * after the journal was claimed, so that no other lockkeeper comes between its look and its write.
 */
async function promoted(
  run: Run,
  step: Of<'promote' | 'rescue'>,
  { copy, staged, call }: { readonly copy: CopySeen; readonly staged: StagedName; readonly call: Call },
): Promise<SecretVersion> {
  const store = storeOf(run.deps, copy.store);
  const from = step.expects ?? undefined;
  const write = () => call(() => store.promote(copy.secret, staged, from));
  // Without its login it can only have happened already: asking again changes nothing.
  const { login } = step;
  if (store.writes === 'conditional' || !login) return await write();
  run.held = await run.journals.write(run.held, heldBy(run).journal);
  const guard = guardOf(run);
  let answer: SecretVersion | undefined;
  const keep = seenBy(run).copies.flatMap(({ current }) => current?.login ?? [])[0];
  // Changing to the login that is valid already changes nothing; it is the way into the service's lock.
  await run.deps.service.change(login, keep?.slot === login.slot ? keep : undefined, async () => {
    await guard();
    answer = await write();
  });
  if (answer) return answer;
  throw new LockkeeperError('bug', `the service changed ${login.slot} without running the guard`);
}

/** Publishes what an earlier rotation staged in one store; from there the present one goes on. */
export async function rescue(run: Run, step: Of<'rescue'>): Promise<void> {
  const copy = copyOf(seenBy(run), step.place);
  const { pending } = copy;
  if (!pending) throw new LockkeeperError('bug', `${copy.store}/${copy.secret} has nothing staged to publish`);
  await unlessStoreFails(run, copy, async (call) => {
    const details = { ...placeOf(copy), from: step.expects, rescued: step.rotation, ...tellVersion(run.deps, pending) };
    const staged = { rotation: step.rotation, id: pending.id };
    const version = await audited(run, { action: 'rotation.promote', details }, () =>
      promoted(run, step, { copy, staged, call }),
    );
    changeCopy(run, copy, (one) => ({
      ...one,
      previous: one.current,
      current: { ...pending, id: version.id },
      pending: undefined,
    }));
    await moveOn(run, step, { version: version.id });
  });
}

/** Ends one version that was current once. */
export async function retireCopy(run: Run, step: Of<'retire-copy'>): Promise<void> {
  const copy = copyOf(seenBy(run), step.place);
  await unlessStoreFails(run, copy, async (call) => {
    const ended = versionIn(copy, step.version) ?? { id: step.version, login: undefined };
    const details = { ...placeOf(step.place), ...tellVersion(run.deps, ended) };
    await audited(run, { action: 'rotation.retire-copy', details }, () =>
      call(() => storeOf(run.deps, copy.store).retire(copy.secret, step.version)),
    );
    await moveOn(run, step);
  });
}

/** A staged version by its rotation and id. */
type StagedName = Parameters<SecretStore['promote']>[1];

/** Calls a store; what it throws is remembered as the store's own. */
type Call = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * One store's failure stops an ordinary rotation. In an emergency it is that store's own, as long as another one is left:
 * the run goes on without it, and the next one tries it again.
 */
async function unlessStoreFails(run: Run, place: CopyPlace, work: (call: Call) => Promise<void>): Promise<void> {
  const ofStore = new Set<unknown>();
  const call: Call = async (inner) => {
    try {
      return await inner();
    } catch (thrown) {
      ofStore.add(thrown);
      throw thrown;
    }
  };
  try {
    await work(call);
  } catch (thrown) {
    const isItsOwn = thrown instanceof LockkeeperError && thrown.code !== 'bug' && ofStore.has(thrown);
    const isLast = usable(seenBy(run)).length <= 1;
    if (!isItsOwn || !heldBy(run).journal.emergency || isLast || (await hasMovedOn(run))) throw thrown;
    changeCopy(run, place, (copy) => ({ ...copy, trouble: thrown }));
  }
}
