import { unique } from './advance.ts';
import type { Journal, JournalCopy } from '../journal/journal.ts';
import { currentLogins, entryOf, newLogins, oldLogins, sameLogin, usable, type CopySeen, type Seen } from './seen.ts';
import type { Step } from './step.ts';

/**
 * A store that the plan names by now and that this rotation did not begin with: its consumers hold the login that would
 * end, so it takes part from here on. One that hands out anybody else's login is left alone, and people are told.
 */
export function joining(journal: Journal, seen: Seen): Step | undefined {
  const copy = seen.copies.find((one) => !entryOf(journal, one));
  if (!copy) return undefined;
  const { login } = copy.current ?? {};
  const others = { ...seen, copies: usable(seen).filter((one) => entryOf(journal, one)) };
  const fresh = newLogins(journal, others);
  const ours = [...fresh, ...currentLogins(others), ...oldLogins(journal, others)];
  const isOurs = login !== undefined && ours.some((one) => sameLogin(one, login));
  const isPublished = login !== undefined && fresh.some((one) => sameLogin(one, login));
  if (isOurs) return { do: 'join', copy: joined(copy, isPublished) };
  // An emergency stops for nobody.
  if (journal.emergency) return undefined;
  return {
    do: 'postpone',
    outcome: 'blocked',
    back: undefined,
    text: `${copy.store}/${copy.secret} was added while a rotation is under way, and does not hand out what the other stores do. Publish in it what they hand out, or take it out of the configuration until the rotation is done.`,
    urgent: true,
  };
}

function joined({ store, secret, current, previous }: CopySeen, isPublished: boolean): JournalCopy {
  const id = current?.id ?? null;
  const ends = unique([previous?.id]).filter((one) => one !== id);
  return {
    store,
    secret,
    expects: isPublished ? null : id,
    staged: isPublished ? id : null,
    published: isPublished ? id : null,
    ends,
    ended: [],
  };
}
