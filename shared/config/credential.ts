import { z } from 'zod';
import { admin } from './admin.ts';
import { calendarFields } from './calendars.ts';
import { duration, endpoint, type ResolvePath } from './fields.ts';
import { secretPlace, secretReference } from './references.ts';
import { refresh } from './refreshes.ts';

/** The fields that a credential of every engine has. */
export function credentialFields(resolve: ResolvePath) {
  return {
    acceptDowntime: z
      .boolean()
      .default(false)
      .describe(
        'A single user refuses logins for a moment at every change; say true to allow it. Not needed where its one secret is its own `admin.secret`: lockkeeper alone reads it.',
      ),
    endpoints: z
      .array(endpoint)
      .min(1)
      .describe('host:port of every server at which a new value must work; the first is where it is changed.'),
    admin: admin(resolve).describe(
      'The login with which lockkeeper changes passwords: a user and where its password is, or a secret that holds both. A single user may name its own secret here: it changes itself.',
    ),
    secrets: z.array(secretPlace).min(1).describe('Every place from which consumers read the credential.'),
    refreshes: z
      .array(refresh(resolve, secretReference(resolve)))
      .default([])
      .describe('Who is told to read the secrets again after a new value was published. Default: nobody.'),
    propagation: duration
      .prefault('15m')
      .describe('How long a consumer may go on using the old value after a new one was published.'),
    overdue: duration
      .prefault('1d')
      .describe('How long after that people are told, once, that the old value is still in use.'),
    every: duration.prefault('30d').describe('How often the credential is rotated; instead of `cron`.'),
    ...calendarFields,
  };
}

/** What a credential of every engine has, after every check. */
export type CredentialFields = z.output<z.ZodObject<ReturnType<typeof credentialFields>>>;

type Refreshes = CredentialFields['refreshes'][number];

/** What the configuration of a receiver yields, by its kind. */
export type RefreshKinds = { readonly [One in Refreshes['kind']]: Extract<Refreshes, { readonly kind: One }> };

/** One receiver of the configuration, of any kind or of those named. */
export type RefreshOf<Name extends keyof RefreshKinds = keyof RefreshKinds> = {
  readonly [One in Name]: { readonly kind: One } & RefreshKinds[One];
}[Name];
