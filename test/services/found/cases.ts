import type { FoundCase } from './case.ts';
import { membershipCases } from './memberships.ts';
import { momentCases } from './moments.ts';
import { objectCases } from './objects.ts';
import { passwordCases } from './passwords.ts';
import { rightCases } from './rights.ts';

/** Every case of `postgres-found`. */
export const foundCases: readonly FoundCase[] = [
  ...membershipCases,
  ...rightCases,
  ...momentCases,
  ...objectCases,
  ...passwordCases,
];
