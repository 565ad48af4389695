import { z } from 'zod';
import { duration, endpoint, name, pathOf, person, port, type ResolvePath } from './fields.ts';

/** Where a password is: never in the configuration itself. Exactly one of the three. */
export function secretReference(resolve: ResolvePath) {
  return z
    .strictObject({
      file: pathOf(resolve)
        .optional()
        .describe('A file that holds nothing but the password; one newline at its end is dropped.'),
      env: z.string().min(1).optional().describe('The environment variable that holds it.'),
      secret: z
        .strictObject({ store: name.describe('One of `secrets`.'), name: secretName.describe('The secret in it.') })
        .optional()
        .describe('A secret in one of the stores under `secrets`, written as JSON with a "password".'),
    })
    .refine((reference) => Object.keys(reference).length === 1, 'names not exactly one of: file, env, secret')
    .meta({ minProperties: 1, maxProperties: 1 });
}

const secretName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/, {
  error: 'is not the name of a secret: use letters, digits and . _ / -',
});

const roleName = z.string().min(1).max(63);

function tls(resolve: ResolvePath) {
  return z.union([z.enum(['require', 'off']), z.strictObject({ ca: pathOf(resolve) })], {
    error: 'is not one of: require, off, {ca: FILE}',
  });
}

const authentication = z
  .enum(['scram', 'md5'])
  .default('scram')
  .describe(
    '`scram`: no other request for a password is answered. `md5`: md5 is answered too, for passwords that were stored before SCRAM. A password in clear is never sent.',
  );

function credential(resolve: ResolvePath) {
  return z.strictObject({
    engine: z.enum(['postgres']).describe('What the service speaks.'),
    strategy: z
      .enum(['alternating', 'single'])
      .describe('`alternating`: two users take turns, nobody is locked out. `single`: one user.'),
    acceptDowntime: z
      .boolean()
      .default(false)
      .describe('A single user refuses logins for a moment at every change; say true to allow it.'),
    users: z.array(roleName).min(1).max(2).describe('Two for `alternating`, one for `single`.'),
    ownerRole: roleName
      .optional()
      .describe('The NOLOGIN role that owns the objects of both users; needed for `alternating`.'),
    database: z.string().min(1).default('postgres').describe('The database to log in to.'),
    endpoints: z
      .array(endpoint)
      .min(1)
      .describe('host:port of every server at which a new value must work; the first is where it is changed.'),
    tls: tls(resolve)
      .default('require')
      .describe(
        '`require`: TLS or nothing. {ca: FILE}: TLS, and the server is known by this authority. `off`: no TLS.',
      ),
    authentication,
    admin: z
      .strictObject({ user: roleName, password: secretReference(resolve) })
      .describe('The login with which lockkeeper changes passwords.'),
    secrets: z
      .array(
        z.strictObject({ store: name.describe('One of `secrets`.'), name: secretName.describe('The secret in it.') }),
      )
      .min(1)
      .describe('Every place from which consumers read the credential.'),
    propagation: duration
      .prefault('15m')
      .describe('How long a consumer may go on using the old value after a new one was published.'),
    every: duration.prefault('30d').describe('How often the credential is rotated.'),
  });
}

/** One service of the port map. */
export function service(resolve: ResolvePath) {
  return z.strictObject({
    name: name.describe('One word for the service, everywhere.'),
    owner: person.describe('Who answers for it. Owners do not approve changes to their own services.'),
    network: name.describe('One of `networks`.'),
    port: port.describe('Where clients reach it.'),
    protocol: z.enum(['tcp', 'udp']).default('tcp').describe('Its transport.'),
    forwardTo: endpoint.optional().describe('Where a gate that lockkeeper runs sends what it lets in.'),
    consumers: z.array(z.string().min(1)).default([]).describe('Who uses it, by name.'),
    approvers: z
      .array(person)
      .min(1)
      .optional()
      .describe('Who may decide about it. Default: everybody under `approvals`.'),
    credential: credential(resolve).optional().describe('What clients show it, if lockkeeper is to rotate that.'),
  });
}
