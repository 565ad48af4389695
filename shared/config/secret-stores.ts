import { z } from 'zod';
import type { ResolvePath } from './fields.ts';
import { kindsIn } from './kinds.ts';

/** What the configuration of a secret store yields, by its kind. Each file of secret-stores/ adds its own. */
export interface SecretStoreKinds {}

/** One secret store of the configuration, of any kind or of those named. */
export type SecretStoreConfig<Name extends keyof SecretStoreKinds = keyof SecretStoreKinds> = {
  readonly [One in Name]: { readonly kind: One } & SecretStoreKinds[One];
}[Name];

/** Every kind of secret store that can be configured. */
export const secretStoreKinds = await kindsIn('secret-stores', (file) => import(`./secret-stores/${file}`));

/** One secret store: its kind, and the fields of that kind. */
export function secretStore(resolve: ResolvePath) {
  const [first, ...rest] = secretStoreKinds;
  const own = ({ name, description, fields }: typeof first) =>
    z
      .strictObject({ kind: z.literal(name).describe('What keeps the secrets.'), ...fields(resolve) })
      .describe(description);
  // The fields were checked by the file that declares what they yield.
  return z.discriminatedUnion('kind', [own(first), ...rest.map(own)]).pipe(z.custom<SecretStoreConfig>());
}
