import { isSamePerson, looksLikePerson } from '../base/person-name.ts';
import type { Mistake } from './mistakes.ts';
import type { Rough } from './rough.ts';
import { pathText, type Path } from './source.ts';

interface Named {
  readonly who: string;
  readonly path: Path;
}

/**
 * Names of people that could be taken for one another: two approvers whose names differ in case or form alone, or only
 * look alike, and an owner whose name only looks like another person's.
 */
export function lookAlikes({ services, approvals }: Rough): readonly Mistake[] {
  const approvers = (approvals?.approvers ?? []).map((who, at) => ({ who, path: ['approvals', 'approvers', at] }));
  const owners = services.flatMap(({ owner }, at) =>
    owner === undefined ? [] : [{ who: owner, path: ['services', at, 'owner'] }],
  );
  const itself: Named = { who: 'lockkeeper', path: [] };
  const first: Named[] = [itself];
  return [...keep(approvers, first, () => false), ...keep(owners, first, isSamePerson)].map(({ named, earlier }) => ({
    path: named.path,
    what: `is a name that looks like ${whose(earlier)}`,
    hint: isSamePerson(named.who, earlier.who)
      ? 'It is the same person: name each person once.'
      : 'Write the same person with the same characters, and different people so that nobody takes one for the other.',
  }));
}

function whose({ who, path }: Named): string {
  return path.length === 0 ? `${who} itself, as the log names it` : `the one at ${pathText(path)}`;
}

/** Adds names to `first`, but for those that look like one in it; exact repetitions are not its business. */
function keep(
  all: readonly Named[],
  first: Named[],
  mayRepeat: (a: string, b: string) => boolean,
): readonly { readonly named: Named; readonly earlier: Named }[] {
  return all.flatMap((named) => {
    const earlier = named.who === '' ? undefined : first.find(({ who }) => looksLikePerson(who, named.who));
    if (earlier === undefined) first.push(named);
    if (earlier === undefined || mayRepeat(earlier.who, named.who)) return [];
    if (earlier.who === named.who && earlier.path.length > 0) return [];
    return [{ named, earlier }];
  });
}
