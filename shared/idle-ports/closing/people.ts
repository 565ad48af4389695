import { differentPeople, knownPerson, looksLikePerson } from '../../base/person-name.ts';

/** One service that clients reach through an opening. */
export interface Behind {
  readonly service: string;
  readonly owner: string;
  readonly approvers: readonly string[];
}

/** Whom an opening concerns. */
export interface People {
  /** The service behind it, for people; every one of them where there are several. */
  readonly service: string;
  /** Who owns it, for people; everybody who owns one of them. */
  readonly owner: string;
  /** Who may decide and can be reached. */
  readonly approvers: readonly string[];
  /** Who may not approve this one, because it is his own: he asked for it, or owns a service behind it. */
  readonly excluded: readonly string[];
  /** How many different people must agree; where there are several services, for each of them. */
  readonly needed: number;
  /** The services behind it where there are several; their approvers speak each for their own. */
  readonly behind?: readonly Behind[] | undefined;
}

/** The names of the services behind an opening. */
export function servicesOf({ service, behind }: People): readonly string[] {
  return behind === undefined || behind.length === 0 ? [service] : behind.map((one) => one.service);
}

/** The approver whom this name names, as he is configured; undefined for everybody else, however alike the names look. */
export function approverNamed(who: string, { approvers }: People): string | undefined {
  return knownPerson(who, approvers);
}

/** Why this name is no approver's, for people. */
export function notAnApprover(who: string, { approvers }: People): string {
  const meant = approvers.find((one) => looksLikePerson(one, who));
  return meant === undefined ? '' : `: the name only looks like ${meant}, and is another one`;
}

/** Whether it is this person's own matter; a name that only looks like an owner's counts as his. */
export function isOwnMatter(who: string, { excluded, behind = [] }: People): boolean {
  return [...excluded, ...behind.map(({ owner }) => owner)].some((one) => looksLikePerson(one, who));
}

/** Whom this name names of all who may have it opened again, as he is configured: who decides, or owns a part of it. */
export function concernedPerson(who: string, { approvers, excluded, owner, behind = [] }: People): string | undefined {
  return knownPerson(who, [...approvers, ...excluded, ...behind.map((one) => one.owner), owner]);
}

/** Those of `agreed` whose approval counts, each person once. */
export function counting(agreed: readonly string[], people: People): readonly string[] {
  const known = agreed.flatMap((who) => approverNamed(who, people) ?? []);
  return differentPeople(known).filter((who) => !isOwnMatter(who, people));
}

/** What is still missing once these people agreed, as a sentence; undefined where nothing is. */
export function missing(agreed: readonly string[], people: People, needed = people.needed): string | undefined {
  const counted = counting(agreed, people);
  if (needed < 1) return `it needs ${needed} approvals`;
  if (counted.length < needed) return `it has ${counted.length} approvals that count now, and needs ${needed}`;
  for (const { service, approvers } of people.behind ?? []) {
    const own = counted.filter((who) => knownPerson(who, approvers) !== undefined).length;
    if (own < needed) return `it has ${own} approvals for service ${service} that count now, and needs ${needed}`;
  }
  return undefined;
}
