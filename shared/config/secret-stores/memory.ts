import type { Kind } from '../kinds.ts';

/** Secrets in this process. */
export const kind: Kind = {
  name: 'memory',
  description: 'Gone with the process; for trying things out.',
  fields: () => ({}),
};

declare module '../secret-stores.ts' {
  interface SecretStoreKinds {
    readonly memory: { readonly kind: 'memory' };
  }
}
