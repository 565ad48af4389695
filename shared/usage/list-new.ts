import type { Instant } from '../base/time.ts';
import type { FlowLog, LogObject } from '../flow-logs/contract.ts';
import { isUpTo, saidEnd, settledIn, streamOf } from './key-order.ts';

/** The objects of a log that may be new. */
export interface Listed {
  readonly objects: readonly LogObject[];
  /** Objects whose time is not over, or has not settled. */
  readonly young: number;
}

/**
 * Lists a log from where it was settled: at the first old key of a stream the listing starts again after the stream's
 * last old key, so it costs one listing a stream, however long the history is. A name that says a time to come says
 * nothing: such an object is read at once.
 */
export async function listNew(
  flowLog: FlowLog,
  settled: Readonly<Record<string, string>>,
  { before, now }: { readonly before: Instant; readonly now: Instant },
): Promise<Listed> {
  const objects: LogObject[] = [];
  let young = 0;
  let from: string | undefined;
  for (;;) {
    let jump: string | undefined;
    for await (const object of from === undefined ? flowLog.objects() : flowLog.objects(from)) {
      jump = settledAfter(object.key, settled);
      if (jump !== undefined) break;
      if ((saidEnd(object, now) ?? before) > before) young += 1;
      else objects.push(object);
    }
    if (jump === undefined) return { objects, young };
    from = jump;
  }
}

function settledAfter(key: string, settled: Readonly<Record<string, string>>): string | undefined {
  const last = settledIn(settled, streamOf(key));
  return isUpTo(key, last) ? last : undefined;
}
