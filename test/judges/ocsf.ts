import { join } from 'node:path';
import { root } from '../house/sources.ts';
import { installed } from './installed.ts';
import { runToEnd, type Verdict } from './verdict.ts';

/**
 * Entries against the OCSF schema of the version, class and profiles that each names: required attributes, no others
 * than the class has, types, and the numbers of activities, severities and statuses.
 */
export async function ocsfEvents(entries: readonly Uint8Array[]): Promise<Verdict> {
  const lines = entries.map((entry) => `${Buffer.from(entry).toString('utf8')}\n`);
  const { ended, said } = await runToEnd(
    await installed('ocsf'),
    [join(root, 'test', 'judges', 'ocsf.py')],
    lines.join(''),
  );
  if (ended !== 0 && ended !== 1) throw new Error(`the OCSF judge ended with ${ended}: ${said}`);
  // An exception of its own ends it with 1 too, and is no verdict.
  if (said.includes('Traceback')) throw new Error(`the OCSF judge failed: ${said}`);
  return { isAccepted: said === `ok events=${entries.length}`, said };
}
