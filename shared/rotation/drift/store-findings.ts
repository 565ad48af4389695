import { toldText } from '../../audit/entries/withhold.ts';
import { after, hour } from '../../base/time.ts';
import { currentLogins, entryOf, newLogins, sameLogin, stagedIn, versionIn, type CopySeen } from '../decisions/seen.ts';
import type { Journal } from '../journal/journal.ts';
import {
  adoptedJournal,
  atRest,
  endedIds,
  expectedIds,
  expectedLogins,
  isDoubtful,
  maySettle,
  nameOf,
  settledCopies,
  underWay,
  type Facts,
} from './facts.ts';
import { finding, storeKinds, together, type Finding, type Found, type Unchecked } from './finding.ts';

/** What is wrong in the stores: each by itself, against the journal, and against each other. Pure. */
export function storeFindings(facts: Facts): Found {
  return together([...facts.copies.map((copy) => ofCopy(copy, facts)), difference(facts)]);
}

function ofCopy(copy: CopySeen, facts: Facts): Found {
  const { plan } = facts;
  if (copy.trouble) {
    const told = {
      what: `${nameOf(copy)} cannot be read: ${toldText(copy.trouble.message)}`,
      todo: copy.trouble.hint ?? `Make it readable, then check again: lockkeeper drift ${plan.name}`,
    };
    return { findings: [finding('store-unreadable', nameOf(copy), told)], unchecked: blindAt(copy) };
  }
  if (isDoubtful(copy, facts)) return { findings: [], unchecked: blindAt(copy) };
  return together([handedOut(copy, facts), changed(copy, facts), orphan(copy, facts), kept(copy, facts)]);
}

function blindAt(copy: CopySeen): readonly Unchecked[] {
  return storeKinds.flatMap((kind) => {
    if (kind === 'store-unreadable') return [];
    // Its places are versions of the secret.
    return [kind === 'ended-version-kept' ? { kind } : { kind, place: nameOf(copy) }];
  });
}

/** What consumers read there, whatever was published. */
function handedOut(copy: CopySeen, { plan, service }: Facts): Found {
  const name = nameOf(copy);
  const { name: credential } = plan;
  const one = (kind: (typeof storeKinds)[number], what: string, todo: string): Found => ({
    findings: [finding(kind, name, { what, todo })],
    unchecked: [],
  });
  if (!copy.current)
    return one(
      'store-empty',
      `${name} holds nothing that consumers could read`,
      `Put the login there that they use now: lockkeeper secret import ${credential} --user USER`,
    );
  if (!copy.current.login)
    return one(
      'store-no-login',
      `${name} holds no login that can be read as ${copy.form.name}`,
      'Correct the text in the store, or name its form in the configuration.',
    );
  const { slot } = copy.current.login;
  const stale = copy.form.stale(copy.current.text);
  const isKnown = service instanceof Error || service.slots.includes(slot);
  return together([
    isKnown
      ? { findings: [], unchecked: service instanceof Error ? [{ kind: 'store-unknown-user' }] : [] }
      : one(
          'store-unknown-user',
          `${name} hands out user ${slot}, which the service does not rotate (${service.slots.join(', ')})`,
          'Publish a login of one of these users there, or name the user in the configuration.',
        ),
    stale.length === 0
      ? { findings: [], unchecked: [] }
      : one(
          'store-stale-password',
          `${name} repeats the password in ${stale.join(', ')}, which goes stale with the next rotation`,
          'Take it out there. Let consumers build it from username and password.',
        ),
  ]);
}

/** Something else is handed out than was published: another login, not only another text around it. */
function changed(copy: CopySeen, facts: Facts): Found {
  const journal = adoptedJournal(facts);
  const { current } = copy;
  const nothing: Found = { findings: [], unchecked: [] };
  if (!journal || !current || !entryOf(journal, copy)) return nothing;
  if (expectedIds(journal, copy).includes(current.id)) return nothing;
  const { login } = current;
  if (login && expectedHere(journal, facts).some((one) => sameLogin(one, login))) return nothing;
  const now = `lockkeeper rotate ${facts.plan.name} --now`;
  const told = {
    what: `${nameOf(copy)} hands out ${login ? `a version with a login of ${login.slot}` : 'a version'} that lockkeeper did not publish: somebody changed it by hand`,
    todo:
      journal.phase === 'done'
        ? `Publish there again what lockkeeper published. Where that is gone or the change was meant, make a new value: ${now}`
        : `Publish there again what the rotation published, or go on from what it holds: ${now}`,
  };
  return { findings: [finding('store-changed', nameOf(copy), told)], unchecked: [] };
}

/** Logins that any store may hand out. */
function expectedHere(journal: Journal, facts: Facts) {
  const expected = expectedLogins(journal, facts.copies);
  return journal.phase === 'done' ? expected : [...expected, ...newLogins(journal, facts)];
}

/** A staged value that no rotation under way staged. What a dead rotation left is forgotten by the next one. */
function orphan(copy: CopySeen, facts: Facts): Found {
  const { pending } = copy;
  const journal = underWay(facts);
  if (!pending) return { findings: [], unchecked: [] };
  if (maySettle(copy, facts) || facts.journal instanceof Error)
    return { findings: [], unchecked: [{ kind: 'staged-orphan', place: nameOf(copy) }] };
  const isExpected =
    journal &&
    (pending.rotation === journal.rotation || journal.past.includes(pending.rotation) || stagedIn(journal, copy));
  if (isExpected) return { findings: [], unchecked: [] };
  const told = {
    what: `${nameOf(copy)} holds a value staged by ${pending.rotation}, and ${journal ? `the rotation under way is ${journal.rotation}` : 'no rotation is under way'}`,
    todo: `Find out who staged it. The next rotation forgets it, or says why it does not: lockkeeper rotate ${facts.plan.name} --now`,
  };
  return { findings: [finding('staged-orphan', nameOf(copy), told)], unchecked: [] };
}

/** Versions that were ended, and that can be read there again. */
function kept(copy: CopySeen, facts: Facts): Found {
  const journal = atRest(facts);
  if (!journal || maySettle(copy, facts)) return { findings: [], unchecked: [{ kind: 'ended-version-kept' }] };
  const ids = [...new Set(endedIds(journal, copy))].filter((id) => versionIn(copy, id));
  const findings = ids.map((id): Finding => {
    const told = {
      what: `version ${id} of ${nameOf(copy)} can be read again, although it was ended: the store was put back to an earlier state`,
      todo: `End that version in the store. Where its value logs in, make a new one: lockkeeper rotate ${facts.plan.name} --now`,
    };
    return finding('ended-version-kept', `${nameOf(copy)} ${id}`, told);
  });
  return { findings, unchecked: [] };
}

/** The stores hand out different logins; while a rotation publishes that is its way. */
function difference(facts: Facts): Found {
  const journal = underWay(facts);
  const isMixed = journal !== undefined && !isConverged(journal, facts);
  if (isMixed || facts.copies.some((copy) => copy.trouble || isDoubtful(copy, facts)))
    return { findings: [], unchecked: [{ kind: 'stores-differ' }] };
  const copies = settledCopies(facts).filter((copy) => !journal || entryOf(journal, copy));
  const logins = currentLogins({ copies });
  if (logins.length <= 1) return { findings: [], unchecked: [] };
  const whose = logins.map((login) => {
    const names = copies.filter(({ current }) => current?.login && sameLogin(current.login, login)).map(nameOf);
    return `${names.join(' and ')} a login of ${login.slot}`;
  });
  const told = {
    what: `the stores hand out different logins: ${whose.join(', ')}`,
    todo: `Publish the one that consumers use in every store, then check again: lockkeeper drift ${facts.plan.name}`,
  };
  return { findings: [finding('stores-differ', '', told)], unchecked: [] };
}

function isConverged({ phase, drain, emergency }: Journal, { now, copies }: Facts): boolean {
  if ((phase !== 'draining' && phase !== 'retired') || !drain || emergency) return false;
  const settlesMs = Math.max(0, ...copies.map((copy) => copy.settlesMs));
  return settlesMs === 0 || now >= after(drain.host, settlesMs + hour);
}
