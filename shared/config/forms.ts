import { z } from 'zod';

const field = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{C}*$/u, { error: 'is not the name of a member' });
const key = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, {
  error: 'is not the name of a variable: use letters, digits and _',
});

/** The word that says the form. */
const form = <const Name extends string>(name: Name) =>
  z.literal(name).describe('How the text holds the login. Default: json.');

/**
 * A place with `shape`, and how the text there holds the login. `form` says which fields come with it; left out it is
 * json.
 */
export function withForm<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z.discriminatedUnion('form', [
    z
      .strictObject({
        ...shape,
        form: form('json').exactOptional(),
        usernameField: field.exactOptional().describe('The member that holds the user name. Default: username.'),
        passwordField: field.exactOptional().describe('The member that holds the value. Default: password.'),
      })
      .describe('One JSON object.'),
    z.strictObject({ ...shape, form: form('plain') }).describe('The value alone, of the only user.'),
    z.strictObject({ ...shape, form: form('url') }).describe('One connection URL.'),
    z
      .strictObject({
        ...shape,
        form: form('env'),
        userKey: key
          .exactOptional()
          .describe('The variable that holds the user name; needed where two users take turns.'),
        passwordKey: key.exactOptional().describe('The variable that holds the value.'),
        urlKey: key
          .exactOptional()
          .describe('The variable that holds a connection URL: beside a password it gets the same login.'),
      })
      .describe('Lines KEY=value. Without any key: DB_USER and DB_PASSWORD.'),
    z.strictObject({ ...shape, form: form('pem') }).describe('A key or a chain of certificates, of the only user.'),
  ]);
}
