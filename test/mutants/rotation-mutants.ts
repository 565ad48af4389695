import type { Mutant } from './mutant.ts';

const tests = ['test/rotation/model-rows.test.ts'];

/** Each fix of a way in which a rotation once went wrong, switched back. */
export const rotationMutants: readonly Mutant[] = [
  {
    name: 'ends-without-asking-again',
    file: 'shared/rotation/decisions/draining.ts',
    find: 'if (doubt) return doubt;',
    replace: 'void doubt;',
    tests,
  },
  {
    name: 'publishes-without-asking-again',
    file: 'shared/rotation/decisions/publishing.ts',
    find: 'return maybeDone ?? unproven(journal, seen) ?? publishNext(journal, seen)',
    replace: 'return maybeDone ?? publishNext(journal, seen)',
    tests,
  },
  {
    name: 'one-store-stops-an-emergency',
    file: 'shared/rotation/effects/under-way.ts',
    find: 'if (first && (!isUrgent || troubles.length === copies.length)) throw first;',
    replace: 'if (first) throw first;',
    tests,
  },
  {
    name: 'an-emergency-backs-off',
    file: 'shared/rotation/decisions/trouble.ts',
    find: 'if (!trouble || isEmergency(journal)) return false;',
    replace: 'if (!trouble) return false;',
    tests,
  },
  {
    name: 'a-second-leak-is-swallowed',
    file: 'shared/rotation/effects/order.ts',
    find: 'if (last && isKnown(last, given)) return;',
    replace: "if (last && last.phase !== 'done') return;",
    tests,
  },
  {
    name: 'a-lost-journal-is-a-first-rotation',
    file: 'shared/rotation/decisions/begin.ts',
    find: 'const lost = staged ?? handedOutBefore(journal, seen, asked);',
    replace: 'const lost = staged;',
    tests,
  },
  {
    name: 'one-clock-ends-the-window',
    file: 'shared/rotation/decisions/draining.ts',
    find: 'const leftMs = Math.max(hostLeft, serviceLeft);',
    replace: 'const leftMs = hostLeft;',
    tests,
  },
  {
    name: 'people-are-never-told-of-trouble',
    file: 'shared/rotation/decisions/trouble.ts',
    find: 'if (!trouble) return false;',
    replace: 'if (trouble) return false;',
    tests,
  },
  {
    name: 'a-replica-may-not-lag',
    file: 'shared/rotation/decisions/setting.ts',
    find: 'if (isLag && journal.refusals < mostLags)',
    replace: 'if (isLag && journal.refusals < 0)',
    tests,
  },
  {
    name: 'nobody-is-followed',
    file: 'shared/rotation/decisions/draining.ts',
    find: "if (isGood(seen, verdict)) return { do: 'follow', login, reverted: oldWas(journal, seen, stray) };",
    replace: 'if (isGood(seen, verdict)) return handChanged(stray);',
    tests,
  },
  {
    name: 'keep-is-forgotten',
    file: 'shared/rotation/decisions/setting.ts',
    find: 'keep: inUseBeside(login, journal, seen) };',
    replace: 'keep: undefined };',
    tests,
  },
  {
    name: 'hand-edits-are-overwritten',
    file: 'shared/rotation/decisions/hand-edits.ts',
    find: 'if (journal.emergency) return undefined;',
    replace: 'if (journal.epoch > 0) return undefined;',
    tests,
  },
  {
    name: 'what-settles-is-lost',
    file: 'shared/rotation/decisions/publishing.ts',
    find: 'if (newLogins(journal, seen).length > 0) return undefined;',
    replace: 'if (journal.epoch > 0) return undefined;',
    tests,
  },
  {
    name: 'a-second-look-counts',
    file: 'shared/rotation/effects/store-effects.ts',
    find: 'changeCopy(run, copy, (one) => ({ ...one, pending: { ...version, rotation: journal.rotation } }));',
    replace: 'const again = await lookAgain(run, copy); changeCopy(run, copy, () => again);',
    tests,
  },
  {
    name: 'a-vanished-value-is-a-conflict',
    file: 'shared/rotation/decisions/setting.ts',
    find: "if (journal.emergency || !isRefused) return { do: 'replan', why: 'the staged value is gone from a store' };",
    replace: "if (journal.emergency || !isRefused) return postpone('conflict');",
    tests,
  },
  {
    name: 'only-what-is-remembered-ends',
    file: 'shared/rotation/decisions/draining.ts',
    find: "if (seen.service.strategy !== 'alternating') return [",
    replace:
      "if (seen.service.strategy === 'additive' && oldLogins(journal, seen).length === 0) return [];\n  if (seen.service.strategy !== 'alternating') return [",
    tests,
  },
  {
    name: 'a-checked-store-is-promoted-without-the-lock',
    file: 'shared/rotation/effects/store-effects.ts',
    find: "if (store.writes === 'conditional' || !login) return await write();",
    replace: 'if (store.writes) return await write();',
    tests,
  },
  {
    name: 'a-conflict-that-cannot-be-looked-into-is-thrown',
    file: 'shared/rotation/effects/under-way.ts',
    find: 'if (!(thrown instanceof LockkeeperError)) throw thrown;\n    return false;',
    replace: 'throw thrown;',
    tests,
  },
];
