import { z } from 'zod';
import type { ResolvePath } from './fields.ts';
import { secretPlace, secretReference, type SecretPlace, type SecretReference } from './references.ts';

/** The name of a user or role of a service. */
export const roleName = z
  .string()
  .min(1)
  .max(63)
  .refine((name) => Buffer.byteLength(name) <= 63, {
    error: 'has more than 63 bytes in UTF-8, after which PostgreSQL cuts names off',
  });

/**
 * lockkeeper's own login: a user whose password is found in one place, or a secret that holds both, so that this login can
 * be rotated too.
 */
export type AdminConfig =
  { readonly user: string; readonly password: SecretReference } | { readonly secret: SecretPlace };

/** lockkeeper's own login at a service, as it is configured. */
export function admin(resolve: ResolvePath) {
  return z
    .strictObject({
      user: roleName.optional().describe('Its name at the service.'),
      password: secretReference(resolve).optional().describe('Where its password is.'),
      secret: secretPlace.optional().describe('A secret that holds its user and its password, instead of the two.'),
    })
    .refine((it) => !lacks(it, 'user') || !lacks(it, 'secret'), { path: ['user'], error: 'is missing', when: always })
    .refine((it) => !lacks(it, 'password') || !lacks(it, 'secret'), {
      path: ['password'],
      error: 'is missing',
      when: always,
    })
    .refine((it) => lacks(it, 'secret') || (lacks(it, 'user') && lacks(it, 'password')), {
      error: 'names a secret and a user or a password; the secret holds both',
    })
    .meta({ oneOf: [{ required: ['user', 'password'] }, { required: ['secret'] }] })
    .transform(loginOf);
}

/** Every mistake at once: also where another field has one. */
const always = () => true;

/** False where `written` is no map: then that is the mistake. */
function lacks(written: unknown, key: string): boolean {
  return typeof written === 'object' && written !== null && !Array.isArray(written) && !Object.hasOwn(written, key);
}

interface Written {
  readonly user?: string | undefined;
  readonly password?: SecretReference | undefined;
  readonly secret?: SecretPlace | undefined;
}

function loginOf({ user, password, secret }: Written, context: z.core.$RefinementCtx): AdminConfig {
  if (secret) return { secret };
  if (user !== undefined && password) return { user, password };
  context.addIssue({ code: 'custom', message: 'is missing' });
  return z.NEVER;
}
