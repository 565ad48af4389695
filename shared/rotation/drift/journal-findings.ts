import { toldText } from '../../audit/entries/withhold.ts';
import { formatInstant } from '../../base/time.ts';
import { isAt } from '../decisions/seen.ts';
import type { Journal } from '../journal/journal.ts';
import { keyOf } from '../journal/journal-format.ts';
import { overdueSince, type Facts } from './facts.ts';
import { finding, type Finding, type Found, type FindingKind } from './finding.ts';
import { isOlder } from './record.ts';

/** What is wrong with the journal, and with the rotation that it holds. Pure. */
export function journalFindings(facts: Facts): Found {
  const { journal, plan } = facts;
  if (journal instanceof Error) {
    const told = {
      what: toldText(journal.message),
      todo: journal.hint ?? `Restore ${keyOf(plan.name)} in the state store from a backup.`,
    };
    return {
      findings: [finding('journal-unreadable', '', told)],
      unchecked: needJournal.map((kind) => ({ kind })),
    };
  }
  if (!journal?.adopted) return { findings: [notThere(facts)], unchecked: needJournal.map((kind) => ({ kind })) };
  return {
    findings: [...older(facts, journal), ...blocked(facts, journal), ...overdue(facts), ...forgotten(facts, journal)],
    unchecked: [],
  };
}

/** Without a journal nobody can say whether they are over. */
const needJournal: readonly FindingKind[] = [
  'rotation-blocked',
  'rotation-overdue',
  'copy-not-configured',
  'store-changed',
  'ended-version-kept',
  'ended-accepted',
  'too-many-values',
  'idle-user-in-use',
];

function notThere({ plan: { name }, journal, last }: Facts): Finding {
  if (journal || !last)
    return finding('not-adopted', '', {
      what: `${name} was never adopted, so it is not rotated on schedule`,
      todo: `Check it and take it over: lockkeeper rotate ${name} --adopt`,
    });
  return finding('journal-lost', '', {
    what: `the journal of ${name} is gone: the state store holds no ${keyOf(name)}`,
    todo: `Restore it from a backup of the state store. Where there is none, take the credential over anew: lockkeeper rotate ${name} --adopt`,
  });
}

function older({ plan: { name }, last }: Facts, journal: Journal): readonly Finding[] {
  if (!last || !isOlder(journal, last)) return [];
  return [
    finding('journal-older', '', {
      what: `the journal of ${name} is older than the one that was seen before (write ${journal.epoch} after write ${last.epoch})`,
      todo: `Restore the newest ${keyOf(name)} of the state store. Where it is lost, make a new value: lockkeeper rotate ${name} --now`,
    }),
  ];
}

/** The rotation tells people itself, and says so in its journal. */
function blocked({ plan: { name } }: Facts, { blocked: why }: Journal): readonly Finding[] {
  if (!why) return [];
  return [
    finding('rotation-blocked', why.reason, {
      what: `the rotation is blocked since ${formatInstant(why.since)}: ${toldText(why.text)}`,
      todo: `Do what it says, then go on: lockkeeper rotate ${name} --now`,
      isTold: why.told,
    }),
  ];
}

function overdue(facts: Facts): readonly Finding[] {
  const { journal, plan } = facts;
  const since = overdueSince(facts);
  if (since === undefined || !journal || journal instanceof Error) return [];
  const why = journal.trouble ? `. What it stopped at: ${toldText(journal.trouble.text)}` : '';
  const what =
    journal.phase === 'done'
      ? `the rotation is due since ${formatInstant(since)}, which is more than one interval${why}`
      : `the rotation that began at ${formatInstant(since)} is still not done (${journal.phase})${why}`;
  return [
    finding('rotation-overdue', '', {
      what,
      todo: `See that \`lockkeeper serve\` runs, and what stops it: lockkeeper rotate ${plan.name}`,
    }),
  ];
}

function forgotten({ plan }: Facts, { copies, phase }: Journal): readonly Finding[] {
  const gone = copies.filter((copy) => !plan.stores.some((one) => isAt(one, copy)));
  return gone.map(({ store, secret }) =>
    finding('copy-not-configured', `${store}/${secret}`, {
      what: `${store}/${secret} takes part in the rotation, and the configuration no longer names it`,
      todo:
        phase === 'done'
          ? `Name it again if anybody reads it. If nobody does, end what it holds: lockkeeper rotate ${plan.name} --now`
          : 'Name it again until the rotation is done, then take it out.',
    }),
  );
}
