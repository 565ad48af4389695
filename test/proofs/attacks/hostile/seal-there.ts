import { auditLog } from '../../../../shared/audit/log.ts';
import type { SealReport } from '../../../../shared/audit/sealing/integrate.ts';
import { LockkeeperError } from '../../../../shared/base/error.ts';
import { logAt } from '../../hostile/ground.ts';
import { mustHold } from '../attack.ts';

/** Seals the log in a directory; nothing of it where that is refused, which must not be by a defect of our own. */
export async function sealAndLookAt(directory: string): Promise<Partial<SealReport>> {
  try {
    return await auditLog({ ...logAt(directory), run: 'later' }).seal();
  } catch (thrown) {
    mustHold(thrown instanceof LockkeeperError && thrown.code !== 'bug', `seal breaks: ${String(thrown)}`);
    return {};
  }
}
