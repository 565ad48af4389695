import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, day, formatInstant, type Instant } from '../../../shared/base/time.ts';
import type { World } from '../../../shared/base/world.ts';
import { networkNames, type Alive } from './alive.ts';
import { makeHistory } from './history.ts';
import { gap, miniature, visitors, type Visitor } from './miniature.ts';
import type { Stage } from './stage.ts';
import { visit } from './visit.ts';

/** A day of the world takes this long, in real milliseconds. */
const dayMs = 550;

/** Shows what runs, and lets 45 days of real traffic pass. */
export async function aliveChapter(stage: Stage, real: World): Promise<void> {
  const { teller, alive, world } = stage;
  teller.chapter('A miniature multi-cloud, alive', 'real services, a gate before each network, real connections; only the clock is faster');
  for (const { network, name, kind } of miniature) {
    teller.shows(`${network.padEnd(6)}${name.padEnd(12)}127.0.0.1:${alive.portOf(name)}  ${kind === 'absent' ? 'an opening whose service is gone' : kind}`);
  }
  const start = world.now();
  const tally = { answered: 0, refused: 0 };
  const days = Math.round((real.now() - start) / day);
  teller.aside(`${days} days of history from ${formatInstant(start)}, about ${Math.ceil((days * dayMs) / 1_000)} s …`);
  await makeHistory({ world, speed: day / dayMs, present: () => real.now(), live: (at) => liveHour(alive, { at, start }, tally), signal: stage.signal });
  stage.signal.throwIfAborted();
  for (const name of networkNames) await alive.gates[name].flush();
  const logs = await Promise.all(networkNames.map(async (name) => ({ name, files: await filesBelow(join(stage.directory, 'flow-logs', name)) })));
  teller.shows('', `${tally.answered} connections answered, ${tally.refused} refused; the gates wrote:`);
  for (const { name, files } of logs) teller.shows(`${name}: ${files.length} objects, such as`, `  ${files.at(-1) ?? 'none'}`);
  const isTrue = tally.answered > days && tally.refused >= days - 1 && logs.every(({ files }) => files.length > days);
  teller.proves(`${days} days of flow logs in the formats and layouts of three clouds, of real connections`, isTrue);
}

async function liveHour(alive: Alive, { at, start }: { readonly at: Instant; readonly start: Instant }, tally: { answered: number; refused: number }): Promise<void> {
  keepGap(alive, at, start);
  const date = new Date(at);
  const when = { hour: date.getUTCHours(), weekday: date.getUTCDay() };
  await Promise.all(visitors.filter((visitor) => visitor.comes(when)).map((visitor) => come(alive, visitor, tally)));
}

async function come(alive: Alive, visitor: Visitor, tally: { answered: number; refused: number }): Promise<void> {
  const kind = miniature.find(({ name }) => name === visitor.service)?.kind ?? 'tcp';
  const seen = await visit(alive.portOf(visitor.service), kind, visitor.from);
  tally[seen.kind] += 1;
}

/** Some days in the middle the interface of one service is not logged, as when a flow log was deleted and made again. */
function keepGap(alive: Alive, at: Instant, start: Instant): void {
  const gate = alive.gates.aws;
  const id = gate.services.find(({ name }) => name === gap.service)?.interface ?? '';
  const [from, to] = [after(start, gap.fromDay * day), after(start, gap.toDay * day)];
  if (at >= from && at < after(from, 3_600_000)) gate.log.stop(id, from);
  if (at >= to && at < after(to, 3_600_000)) gate.log.resume(id, to);
}

async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1)).toSorted();
}
