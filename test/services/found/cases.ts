import type { FoundCase } from './case.ts';
import { membershipCases } from './memberships.ts';
import { momentCases } from './moments.ts';
import { objectCases } from './objects.ts';
import { passwordCases } from './passwords.ts';
import { poolerCases } from './poolers.ts';
import { rightCases } from './rights.ts';
import { standbyCases } from './standbys.ts';
import { withheldCases } from './withheld.ts';

/** Every case of `postgres-found`. */
export const foundCases: readonly FoundCase[] = [
  ...membershipCases,
  ...rightCases,
  ...momentCases,
  ...objectCases,
  ...passwordCases,
  ...poolerCases,
  ...withheldCases,
  ...standbyCases,
];
