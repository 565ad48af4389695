import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The project's own directory, with a slash at its end. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** One file of the project. */
export interface SourceFile {
  /** From the project's directory, with "/". */
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file below these directories of the project. */
export function sources(...directories: readonly string[]): readonly SourceFile[] {
  return sourcesIn(root, directories);
}

/** Every TypeScript file below these directories of a tree, which ends in a slash. */
export function sourcesIn(tree: string, directories: readonly string[]): readonly SourceFile[] {
  const paths = globSync(
    directories.map((directory) => `${directory}/**/*.ts`),
    { cwd: tree },
  );
  if (paths.length === 0) throw new Error(`there is no source below ${directories.join(', ')}`);
  return paths.toSorted().map((path) => ({ path, text: readFileSync(`${tree}${path}`, 'utf8') }));
}
