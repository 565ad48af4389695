import { z } from 'zod';

const field = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{C}*$/u, { error: 'is not the name of a member' });
const key = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, {
  error: 'is not the name of a variable: use letters, digits and _',
});

/**
 * A place with `shape`, and how the text there holds the login. `form` says which fields come with it; left out it is
 * json.
 */
export function withForm<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z.discriminatedUnion('form', [
    z.strictObject({
      ...shape,
      form: z.literal('json').optional().describe('One JSON object. This is the default.'),
      usernameField: field.default('username').describe('The member that holds the user name. Default: username.'),
      passwordField: field.default('password').describe('The member that holds the value. Default: password.'),
    }),
    z.strictObject({ ...shape, form: z.literal('plain').describe('The value alone, of the only user.') }),
    z.strictObject({ ...shape, form: z.literal('url').describe('One connection URL.') }),
    z.strictObject({
      ...shape,
      form: z.literal('env').describe('Lines KEY=VALUE.'),
      usernameKey: key.exactOptional().describe('The variable with the user name; needed where two users take turns.'),
      passwordKey: key.describe('The variable with the value.'),
    }),
    z.strictObject({ ...shape, form: z.literal('pem').describe('A key or a chain of certificates, of the only user.') }),
  ]);
}

/** How a text holds a login. */
export type FormConfig = z.output<ReturnType<typeof withForm<Record<never, never>>>>;
