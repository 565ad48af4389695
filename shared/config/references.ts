import { z } from 'zod';
import { name, pathOf, type ResolvePath } from './fields.ts';
import { withForm } from './forms.ts';

const secretName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/, {
  error: 'is not the name of a secret: use letters, digits and . _ / -',
});

/** A secret in one of the stores, and how its text holds a login. */
export const secretPlace = withForm({
  store: name.describe('One of `secrets`.'),
  name: secretName.describe('The secret in it.'),
});

/** A secret in one of the stores, and how its text holds a login. */
export type SecretPlace = z.output<typeof secretPlace>;

/** Where a password is: never in the configuration itself. Exactly one of the three. */
export function secretReference(resolve: ResolvePath) {
  return z
    .strictObject({
      file: pathOf(resolve)
        .optional()
        .describe('A file that holds nothing but the password; one newline at its end is dropped.'),
      env: z.string().min(1).optional().describe('The environment variable that holds it.'),
      secret: secretPlace
        .optional()
        .describe(
          'A secret in one of the stores under `secrets`, written as JSON with a "password" unless it says its form.',
        ),
    })
    .refine((reference) => Object.keys(reference).length === 1, 'names not exactly one of: file, env, secret')
    .meta({ minProperties: 1, maxProperties: 1 });
}

/** Where a password is. Exactly one of the three is there. */
export type SecretReference = z.output<ReturnType<typeof secretReference>>;
