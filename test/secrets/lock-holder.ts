import { systemWorld } from '../../shared/base/world.ts';
import { withFileLock } from '../../shared/secrets/file-lock.ts';

/** A process that takes the lock file named on its command line, says so, and keeps it until it is killed. */
await withFileLock(process.argv[2] ?? '', systemWorld(), async () => {
  process.stdout.write('held\n');
  await new Promise((resolve) => void setTimeout(resolve, 30_000));
});
