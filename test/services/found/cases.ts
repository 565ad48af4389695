import type { FoundCase } from './case.ts';
import { membershipCases } from './memberships.ts';
import { poolerCases } from './poolers.ts';
import { standbyCases } from './standbys.ts';
import { withheldCases } from './withheld.ts';

/** Every case of `postgres-found`. */
export const foundCases: readonly FoundCase[] = [...membershipCases, ...poolerCases, ...withheldCases, ...standbyCases];
