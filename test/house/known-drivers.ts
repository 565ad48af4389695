import { createRequire } from 'node:module';
import { z } from 'zod';
import { root } from './sources.ts';

const configuration = z.object({
  forbidden: z.array(z.object({ name: z.string(), to: z.object({ path: z.string().optional() }) })),
});

/** The drivers that the import rules know, as folder/file. */
export const drivers: readonly string[] = readDrivers();

function readDrivers(): readonly string[] {
  const { forbidden } = configuration.parse(createRequire(import.meta.url)(`${root}.dependency-cruiser.cjs`));
  const pattern = forbidden.find(({ name }) => name === 'drivers-only-in-wire')?.to.path ?? '';
  return /\((.*)\)/.exec(pattern)?.[1]?.split('|') ?? [];
}
