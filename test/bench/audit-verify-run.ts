import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyLog, verifyTiles } from '../../shared/audit/verify/verify.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';

// One measurement in a process of its own: node audit-verify-run.ts hash|tiles|log DIRECTORY. Prints one JSON line.
const [what = '', directory = ''] = process.argv.slice(2);
const threads = 2;
const started = performance.now();
const { entries, isRight } = await measured();
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage();
process.stdout.write(
  `${JSON.stringify({ seconds, entries, isRight, cpu: (user + system) / 1e6, rssMb: process.resourceUsage().maxRSS / 1_024 })}\n`,
);

async function measured(): Promise<{ readonly entries: number; readonly isRight: boolean }> {
  if (what === 'hash') return { entries: await hashAll(), isRight: true };
  const store = (below: string) => fileSystemObjects({ directory: join(directory, below) });
  const { entries: read, ok } =
    what === 'tiles'
      ? await verifyTiles({ store: store(''), threads })
      : await verifyLog({ log: store('log'), state: store('state'), threads });
  return { entries: read, isRight: ok };
}

/** SHA-256 over every file, a few of them read ahead: the least that somebody does who looks at every byte. */
async function hashAll(): Promise<number> {
  const files = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name));
  const readers = Array.from({ length: 8 }, async () => {
    for (let file = files.pop(); file !== undefined; file = files.pop()) hash('sha256', await readFile(file));
  });
  await Promise.all(readers);
  return 0;
}
