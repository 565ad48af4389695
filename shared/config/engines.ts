import { z } from 'zod';
import { credentialFields, type CredentialFields } from './credential.ts';
import type { ResolvePath } from './fields.ts';
import { kindsIn, type Kind } from './kinds.ts';
import { manualKind, type ManualCredential } from './manual.ts';

/** What the configuration of an engine yields besides the fields of every credential. Each file of engines/ adds its own. */
export interface Engines {}

/** What clients show a service of this engine, and how it is changed. */
export type CredentialOf<Name extends keyof Engines> = {
  readonly [One in Name]: { readonly engine: One } & CredentialFields & Engines[One];
}[Name];

/** Every engine that can be configured. */
export const engineKinds = await kindsIn('engines', (file) => import(`./engines/${file}`));

/** Everything that may stand as `engine`. */
export const credentialKinds: readonly Kind[] = [...engineKinds, manualKind];

/** What clients show a service: changed by an engine, or renewed by people. */
export type AnyCredential = CredentialOf<keyof Engines> | ManualCredential;

/** One credential: its engine, the fields of that engine, and those of every credential that is rotated. */
export function credential(resolve: ResolvePath) {
  const [first, ...rest] = engineKinds;
  const one = ({ name, description, fields }: Kind, common: z.core.$ZodShape) =>
    z
      .strictObject({ engine: z.literal(name).describe('What the service speaks.'), ...fields(resolve), ...common })
      .describe(description);
  const rotated = (kind: Kind) => one(kind, credentialFields(resolve));
  // The fields were checked by the file that declares what they yield.
  return z
    .discriminatedUnion('engine', [rotated(first), ...rest.map(rotated), one(manualKind, {})])
    .pipe(z.custom<AnyCredential>());
}
