import { appendFile, cp, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './sources.ts';

/** A driver that nothing knows yet. */
export interface Toy {
  /** The files that are written anew, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** The line of the loader table, and the table that it goes to. */
  readonly loader: { readonly file: string; readonly table: string; readonly line: string };
}

const loaders = 'functions/local/credentials-wire.ts';

/** An engine called acme. */
export const acmeEngine: Toy = {
  files: {
    'shared/services/acme.ts': `import type { Service } from './contract.ts';

/** A toy. */
export function acmeService(users: readonly string[], realm: string): Service {
  const never = async () => [];
  return {
    describe: async () => ({
      strategy: 'alternating',
      slots: users,
      endpoints: [realm],
      fence: 'none',
      capacity: 1,
      holds: {},
      value: { kind: 'key-pair' },
      sessionsSeen: 'none',
      mark: undefined,
      clock: undefined,
      preHashed: true,
      encrypted: true,
      problems: [],
      fixes: [],
      risks: [],
      slotsEqual: true,
    }),
    change: never,
    accepts: never,
    sessions: never,
    retire: never,
  };
}
`,
    'test/services/acme.test.ts': `import { acmeService } from '../../shared/services/acme.ts';
import { serviceSuite } from '../conformance/service.ts';

const toy = acmeService(['a', 'b'], 'toys');
serviceSuite('acme', async () => Promise.reject(new Error(typeof toy)));
`,
    'shared/config/engines/acme.ts': `import { z } from 'zod';
import type { Kind } from '../kinds.ts';

const fields = () => ({
  users: z.array(z.string()).describe('Who takes turns.'),
  realm: z.string().describe('Which realm.'),
});

/** A toy. */
export const kind: Kind = {
  name: 'acme',
  description: 'A toy.',
  fields,
  mistakes: ({ realm }) =>
    realm === 'nowhere' ? [{ field: 'realm', what: 'is not a realm', hint: 'Choose another.' }] : [],
};

declare module '../engines.ts' {
  interface Engines {
    readonly acme: z.output<z.ZodObject<ReturnType<typeof fields>>>;
  }
}
`,
  },
  loader: {
    file: loaders,
    table: 'engines',
    line: `    acme: async ({ users, realm }) => (await import('../../shared/services/acme.ts')).acmeService(users, realm),`,
  },
};

/** A secret store called toy-box. */
export const toyBox: Toy = {
  files: {
    'shared/secrets/toy-box.ts': `import type { SecretStore } from './contract.ts';

/** A toy. */
export function toyBoxSecrets(label: string): SecretStore {
  const version = async () => ({ id: label, value: await Promise.reject(new Error('a toy')) });
  return {
    writes: 'checked',
    settlesMs: 7,
    read: async () => ({ current: undefined, previous: undefined, pending: undefined, asked: [] }),
    stage: version,
    promote: version,
    abandon: async () => undefined,
    retire: async () => undefined,
  };
}
`,
    'test/secrets/toy-box.test.ts': `import { toyBoxSecrets } from '../../shared/secrets/toy-box.ts';
import { secretStoreSuite } from '../conformance/secret-store.ts';

const toy = toyBoxSecrets('box');
secretStoreSuite('toy-box', async () => Promise.reject(new Error(typeof toy)));
`,
    'shared/config/secret-stores/toy-box.ts': `import { z } from 'zod';
import type { Kind } from '../kinds.ts';

const fields = () => ({ label: z.string().describe('What stands on it.') });

/** A toy. */
export const kind: Kind = { name: 'toy-box', description: 'A toy.', fields };

declare module '../secret-stores.ts' {
  interface SecretStoreKinds {
    readonly 'toy-box': z.output<z.ZodObject<ReturnType<typeof fields>>>;
  }
}
`,
  },
  loader: {
    file: loaders,
    table: 'secretStores',
    line: `    'toy-box': {
      writes: 'checked',
      settlesMs: 7,
      open: async ({ label }) => (await import('../../shared/secrets/toy-box.ts')).toyBoxSecrets(label),
    },`,
  },
};

/** A copy of the project's tree, with a slash at its end, that shares the installed packages. */
export async function copiedTree(): Promise<string> {
  const tree = await mkdtemp(join(tmpdir(), 'lockkeeper-toys-'));
  const parts = ['functions', 'shared', 'test', 'package.json', 'tsconfig.json', '.dependency-cruiser.cjs'];
  await Promise.all(parts.map((part) => cp(join(root, part), join(tree, part), { recursive: true })));
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
  return `${tree}/`;
}

/** Adds the toy to a tree; the paths of every file that was touched for it. */
export async function addToy(tree: string, { files, loader }: Toy): Promise<readonly string[]> {
  for (const [path, text] of Object.entries(files)) await appendFile(join(tree, path), text, { flag: 'ax' });
  const before = await readFile(join(tree, loader.file), 'utf8');
  const after = before.replace(`\n  ${loader.table}: {\n`, (table) => `${table}${loader.line}\n`);
  if (after === before) throw new Error(`${loader.file} has no table ${loader.table}`);
  await writeFile(join(tree, loader.file), after);
  return [...Object.keys(files), loader.file];
}
