import { z } from 'zod';
import { credentialFields, type CredentialFields } from './credential.ts';
import type { ResolvePath } from './fields.ts';
import { kindsIn } from './kinds.ts';

/** What the configuration of an engine yields besides the fields of every credential. Each file of engines/ adds its own. */
export interface Engines {}

/** What clients show a service of this engine, and how it is changed. */
export type CredentialOf<Name extends keyof Engines> = {
  readonly [One in Name]: { readonly engine: One } & CredentialFields & Engines[One];
}[Name];

/** Every engine that can be configured. */
export const engineKinds = await kindsIn('engines', (file) => import(`./engines/${file}`));

/** One credential: its engine, the fields of that engine, and those of every credential. */
export function credential(resolve: ResolvePath) {
  const [first, ...rest] = engineKinds;
  const one = ({ name, description, fields }: typeof first) =>
    z
      .strictObject({
        engine: z.literal(name).describe('What the service speaks.'),
        ...fields(resolve),
        ...credentialFields(resolve),
      })
      .describe(description);
  // The fields were checked by the file that declares what they yield.
  return z.discriminatedUnion('engine', [one(first), ...rest.map(one)]).pipe(z.custom<CredentialOf<keyof Engines>>());
}
