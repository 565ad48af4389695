import { z } from 'zod';
import { roleName } from '../admin.ts';
import { pathOf, type ResolvePath } from '../fields.ts';
import type { FieldMistake, Kind } from '../kinds.ts';
import { changesItself } from '../itself.ts';
import { maybeText, maybeTexts } from '../lenient.ts';

/** PostgreSQL 10 and later. */
export const kind: Kind = { name: 'postgres', description: 'PostgreSQL 10 and later.', fields, mistakes };

declare module '../engines.ts' {
  interface Engines {
    readonly postgres: z.output<z.ZodObject<ReturnType<typeof fields>>>;
  }
}

function fields(resolve: ResolvePath) {
  return {
    strategy: z
      .enum(['alternating', 'single'])
      .describe('`alternating`: two users take turns, nobody is locked out. `single`: one user.'),
    users: z.array(roleName).min(1).max(2).describe('Two for `alternating`, one for `single`.'),
    ownerRole: roleName
      .optional()
      .describe('The NOLOGIN role that owns the objects of both users; needed for `alternating`.'),
    database: z.string().min(1).default('postgres').describe('The database to log in to.'),
    tls: z
      .union([z.enum(['require', 'off']), z.strictObject({ ca: pathOf(resolve) })], {
        error: 'is not one of: require, off, {ca: FILE}',
      })
      .default('require')
      .describe(
        '`require`: TLS or nothing. {ca: FILE}: TLS, and the server is known by this authority. `off`: no TLS.',
      ),
    authentication: z
      .enum(['scram', 'md5'])
      .default('scram')
      .describe(
        '`scram`: no other request for a password is answered. `md5`: md5 is answered too, for passwords that were stored before SCRAM. A password in clear is never sent.',
      ),
  };
}

const lenient = z.object({
  strategy: maybeText,
  users: maybeTexts,
  ownerRole: maybeText,
  acceptDowntime: z.boolean().catch(false),
});

function mistakes(written: Readonly<Record<string, unknown>>): readonly FieldMistake[] {
  const read = lenient.parse(written);
  if (read.strategy === 'alternating') return alternatingMistakes(read);
  if (read.strategy === 'single') return singleMistakes(read, changesItself(written));
  return [];
}

function alternatingMistakes({ users, ownerRole }: z.output<typeof lenient>): readonly FieldMistake[] {
  const found: FieldMistake[] = [];
  const different = new Set(users).size;
  if (users && different !== 2)
    found.push({
      field: 'users',
      what: `has ${different} different users; alternating needs 2`,
      hint: 'Name the two users that take turns.',
    });
  if (ownerRole === undefined)
    found.push({
      field: 'ownerRole',
      what: 'is missing',
      hint: 'Alternating users share a NOLOGIN role that owns the objects: name it.',
    });
  else if (users?.includes(ownerRole) === true)
    found.push({
      field: 'ownerRole',
      what: 'is one of the users',
      hint: 'The owner role is a third role, which nobody logs in as.',
    });
  return found;
}

/** Of lockkeeper's own login that changes itself nobody is refused: lockkeeper shows the value that is staged, too. */
function singleMistakes(
  { users, acceptDowntime }: z.output<typeof lenient>,
  isItself: boolean,
): readonly FieldMistake[] {
  const found: FieldMistake[] = [];
  if (users && users.length !== 1)
    found.push({
      field: 'users',
      what: `has ${users.length} users; single needs 1`,
      hint: 'Name one user, or choose the strategy alternating.',
    });
  if (!acceptDowntime && !isItself)
    found.push({
      field: 'acceptDowntime',
      what: 'is not true',
      hint: 'A single user refuses logins at every change: choose alternating, or say acceptDowntime: true.',
    });
  return found;
}
