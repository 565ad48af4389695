import type { z } from 'zod';
import { pathOf, type ResolvePath } from '../fields.ts';
import type { Kind } from '../kinds.ts';

/** Secrets in files of this machine. */
export const kind: Kind = { name: 'local-file', description: 'Encrypted files in a directory.', fields };

function fields(resolve: ResolvePath) {
  return {
    path: pathOf(resolve).describe('The directory.'),
    keyFile: pathOf(resolve).describe('The key, readable by its owner only; it is made where it is missing.'),
  };
}

declare module '../secret-stores.ts' {
  interface SecretStoreKinds {
    readonly 'local-file': z.output<z.ZodObject<ReturnType<typeof fields>>>;
  }
}
