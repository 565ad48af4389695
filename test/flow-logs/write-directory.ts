import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { filesFlowLog, type FilesOptions } from '../../shared/flow-logs/files.ts';
import type { FlowLog, LogObject, UsageBatch } from '../../shared/flow-logs/contract.ts';

/** Lays files down in a fresh directory, gives the flow log over it and everything it says, and cleans up. */
export async function withFiles<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: Pick<FilesOptions, 'cloud' | 'interfaces'>,
  use: (log: FlowLog, batch: UsageBatch) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'flow-log-test-'));
  try {
    for (const [key, content] of Object.entries(files)) {
      await mkdir(dirname(join(directory, key)), { recursive: true });
      await writeFile(join(directory, key), content);
    }
    const log = filesFlowLog({ name: 'test', directory, limits: { threads: 1 }, ...options });
    const objects: LogObject[] = [];
    for await (const object of log.objects()) objects.push(object);
    return await use(log, await log.usage(objects));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
