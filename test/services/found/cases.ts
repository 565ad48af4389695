import type { FoundCase } from './case.ts';
import { membershipCases } from './memberships.ts';

/** Every case of `postgres-found`. */
export const foundCases: readonly FoundCase[] = [...membershipCases];
