import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { auditLog } from '../../shared/audit/log.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { event, identity } from './place.ts';

/**
 * A process of its own that records to the log below a directory: `node child.ts DIRECTORY RUN COUNT`. One line an
 * acknowledgement.
 */
const [directory = '', run = '', count = '0'] = process.argv.slice(2);
const stores = {
  log: fileSystemObjects({ directory: join(directory, 'log') }),
  state: fileSystemObjects({ directory: join(directory, 'state') }),
};
const log = auditLog({ ...stores, ...identity, world: systemWorld(), run });
const notify = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);

notify({ ready: run });
await once(process.stdin, 'data');
process.stdin.destroy();
for (let number = 0; number < Number(count); number += 1) {
  const { n, hash } = await log.record(event(number, { actor: run }));
  notify({ n, hash });
  if (number % 5 === 4) await log.seal();
}
await log.end();
