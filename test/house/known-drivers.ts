import { createRequire } from 'node:module';
import { posix } from 'node:path';
import { z } from 'zod';
import { root, sourcesIn, type SourceFile } from './sources.ts';

const configuration = z.object({
  forbidden: z.array(z.object({ name: z.string(), to: z.object({ path: z.string().optional() }) })),
});

/** The drivers that the import rules of a tree know, as folder/file. */
export function driversOf(directory: string): readonly string[] {
  const { forbidden } = configuration.parse(createRequire(import.meta.url)(`${directory}.dependency-cruiser.cjs`));
  const pattern = forbidden.find(({ name }) => name === 'drivers-only-in-wire')?.to.path ?? '';
  return /\((.*)\)/.exec(pattern)?.[1]?.split('|') ?? [];
}

/** The drivers of this project. */
export const drivers: readonly string[] = driversOf(root);

/** The files below test/ of a tree, by path. */
export function testFiles(directory: string): ReadonlyMap<string, SourceFile> {
  return new Map(sourcesIn(directory, ['test']).map((file) => [file.path, file]));
}

/**
 * The tests among `files` that show a driver to the suite of its contract: they import both, or their own helpers do.
 */
export function suiteTests(driver: string, files: ReadonlyMap<string, SourceFile>): readonly string[] {
  const [capability = ''] = driver.split('/');
  const all = [...files.values()];
  const suites = all
    .filter(({ path }) => path.startsWith('test/conformance/'))
    .filter((file) => imports(file).includes(`shared/${capability}/contract.ts`))
    .map(({ path }) => path);
  const shown = all.filter((file) => {
    if (!file.path.startsWith(`test/${capability}/`) || !file.path.endsWith('.test.ts')) return false;
    const reached = reachedFrom(file, files);
    return reached.has(`shared/${driver}.ts`) && suites.some((suite) => reached.has(suite));
  });
  return shown.map(({ path }) => path);
}

/** What a test file imports, and what the test files that it imports do, by path. */
export function reachedFrom(first: SourceFile, files: ReadonlyMap<string, SourceFile>): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [first];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const path of imports(file)) {
      if (reached.has(path)) continue;
      reached.add(path);
      const next = files.get(path);
      if (next) waiting.push(next);
    }
  }
  return reached;
}

function imports({ path, text }: SourceFile): readonly string[] {
  const named = [...text.matchAll(/(?:\bfrom |\bimport\()'(\.[^']+)'/g)].map(([, target = '']) => target);
  return named.map((target) => posix.join(posix.dirname(path), target));
}
