import type { LogRooms } from '../log-rooms.ts';
import { readPublished } from './published.ts';
import { rememberedDone } from './sequenced.ts';

/**
 * What a run looks at before it writes its first entry: `conflict` where the log store is shorter or other than what
 * was published, for another entry would cover that up. Tells which days the integrator is done with.
 */
export async function expectSound(rooms: Pick<LogRooms, 'log' | 'state'>): Promise<{ readonly doneBefore: string }> {
  await readPublished(rooms);
  return { doneBefore: await rememberedDone(rooms.state) };
}
