import { z } from 'zod';
import { listOf, maybeText, maybeTexts } from './lenient.ts';

const place = z.object({ store: maybeText, name: maybeText });

const lenient = z.object({
  strategy: maybeText,
  users: maybeTexts,
  secrets: listOf(place.catch({})),
  admin: z
    .object({ secret: place.optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/**
 * True for a credential, as it is written or checked, that is the last login of a chain: lockkeeper's own, a single user
 * that changes its own password. The one secret that holds it is its own `admin.secret`, so nobody but lockkeeper
 * reads it.
 */
export function changesItself(credential: unknown): boolean {
  const { success, data } = lenient.safeParse(credential);
  if (!success || data.strategy !== 'single' || data.users?.length !== 1) return false;
  const { secret } = data.admin ?? {};
  const [own, ...others] = data.secrets;
  return secret !== undefined && own !== undefined && others.length === 0 && isSamePlace(own, secret);
}

/** True where both name the same secret of the same store. */
export function isSamePlace(one: z.output<typeof place>, other: z.output<typeof place>): boolean {
  return one.store !== undefined && one.name !== undefined && one.store === other.store && one.name === other.name;
}
