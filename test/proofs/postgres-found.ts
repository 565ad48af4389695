import { atLeast, atMost, type Figure } from '../bench/figure.ts';
import { runCases, type FoundResult } from '../services/found/case.ts';
import { foundCases } from '../services/found/cases.ts';
import { startVersion, versionsHere } from '../services/postgres-versions.ts';

/**
 * PostgreSQL as people run it, on every version that is installed: each case is arranged on a real server, found and
 * told before anything is changed, and put right by the SQL that is printed, which takes no right from today's consumers.
 */
export async function postgresFound(): Promise<Figure[]> {
  const results: FoundResult[] = [];
  for (const version of versionsHere) results.push(...(await onVersion(version)));
  const wrong = results.filter((result) => result.wrong !== undefined);
  return [
    atMost('postgres-found', wrong.length, 'wrong', 0),
    atLeast('postgres-found-cases', results.length, 'cases', foundCases.length),
  ];
}

async function onVersion(version: number): Promise<readonly FoundResult[]> {
  const server = await startVersion(version);
  try {
    const results = await runCases(foundCases, { server, version });
    for (const { name, wrong } of results)
      console.error(
        `  ${version} ${wrong === undefined ? 'right' : 'WRONG'}  ${name}${wrong === undefined ? '' : `\n${wrong}`}`,
      );
    return results;
  } finally {
    await server.stop();
  }
}
