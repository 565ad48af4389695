import { spawnSync } from 'node:child_process';
import { z } from 'zod';
import { root } from './sources.ts';

const answer = z.object({
  summary: z.object({
    totalCruised: z.number(),
    violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

/** What the import rules say about the tree at `directory`. */
export interface Cruise {
  /** Modules that were read. */
  readonly modules: number;
  /** Each as "rule: from -> to". */
  readonly violations: readonly string[];
}

/**
 * Runs the project's import rules on a tree, as `npm run check:imports` does, or those of the file `rules`, or on a few
 * files and what they import. Throws where they cannot be run.
 */
export function cruise(
  directory: string,
  { rules = `${root}.dependency-cruiser.cjs`, of = ['functions', 'shared', 'infra', 'test'] } = {},
): Cruise {
  const words = ['--config', rules, '--output-type', 'json', ...of];
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [`${root}node_modules/dependency-cruiser/bin/dependency-cruiser.mjs`, ...words],
    {
      cwd: directory,
      encoding: 'utf8',
      timeout: 60_000,
      maxBuffer: 256 * 1024 * 1024,
    },
  );
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser gave no answer: ${stdout} ${stderr}`);
  const { summary } = answer.parse(JSON.parse(stdout));
  const violations = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
  return { modules: summary.totalCruised, violations: [...new Set(violations)].toSorted() };
}
