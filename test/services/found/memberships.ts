import type { FoundCase } from './case.ts';
import { q } from './found-pair.ts';
import { roleCase } from './role-case.ts';

/** Memberships in the owner role and in others. */
export const membershipCases: readonly FoundCase[] = [
  roleCase({
    name: 'a user is a member of the owner role WITH SET FALSE',
    since: 16,
    start: 'ready',
    arrange: ({ a, owner }) => `GRANT ${q(owner)} TO ${q(a)} WITH SET FALSE`,
    problems: [/may not become/],
  }),
  roleCase({
    name: 'a user is a member of the owner role WITH INHERIT FALSE',
    since: 16,
    start: 'ready',
    arrange: ({ b, owner }) => `GRANT ${q(owner)} TO ${q(b)} WITH INHERIT FALSE`,
    problems: [/INHERIT/],
  }),
];
