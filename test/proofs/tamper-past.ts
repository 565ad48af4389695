import { auditLog } from '../../shared/audit/log.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { awsS3Objects } from '../../shared/objects/aws-s3.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { startS3 } from '../clouds/aws-s3.ts';
import { event, identity } from '../audit/place.ts';
import { testWorld } from '../world.ts';
import type { Tampering } from './tamper-flips.ts';

/**
 * A log in a bucket under Object Lock, each of its objects hidden behind a delete marker in turn; half of them made
 * again with the same bytes, where nothing but the past can tell.
 */
export async function hideBehindMarkers(): Promise<Tampering> {
  const s3 = await startS3({ locked: true });
  const done: Tampering = { made: 0, unseen: [] };
  try {
    const world = testWorld();
    const log = awsS3Objects({ ...s3.place, prefix: 'log/', contents: 'create-only', world, pauseMs: 4 });
    const state = memoryObjects();
    const run = auditLog({ log, state, ...identity, world, run: 'one' });
    for (let number = 0; number < 4; number += 1) await run.record(event(number));
    await run.end();
    const keys: string[] = [];
    for await (const { key } of log.list('')) keys.push(key);
    if (!(await verifyLog({ log, state, history: log })).ok)
      throw new Error('the log is not whole before anything is done to it');
    for (const [turn, key] of keys.entries()) {
      const bytes = (await log.get(key))?.bytes;
      s3.model.hide(`log/${key}`);
      if (turn % 2 === 0 && bytes) s3.model.plant(`log/${key}`, bytes);
      const { findings } = await verifyLog({ log, state, history: log });
      done.made += 1;
      if (!findings.some((finding) => finding.key === key && finding.kind === 'altered'))
        done.unseen.push(`${key} behind a delete marker`);
    }
    return done;
  } finally {
    await s3.close();
  }
}
