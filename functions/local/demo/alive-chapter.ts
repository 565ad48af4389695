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
const dayMs = 600;

/** What came of the clients of the history. */
export interface Tally {
  answered: number;
  refused: number;
}

/** A history on its way. */
export interface Passing {
  readonly days: number;
  /** Ends when the present is reached, or the demo is over. */
  readonly over: Promise<Tally>;
}

/** Shows what runs, and lets the days begin to pass. */
export function aliveChapter(stage: Stage, real: World): Passing {
  const { teller, alive, world } = stage;
  teller.chapter(
    'A miniature multi-cloud, alive',
    'real services, a gate before each network, real connections; only the clock is faster',
  );
  for (const { network, name, kind } of miniature) {
    teller.shows(
      `${network.padEnd(6)}${name.padEnd(12)}127.0.0.1:${alive.portOf(name)}  ${kind === 'absent' ? 'an opening whose service is gone' : kind}`,
    );
  }
  const start = world.now();
  const days = Math.round((real.now() - start) / day);
  teller.shows(
    '',
    `${days} days pass from ${formatInstant(start)} on, in about ${Math.ceil((days * dayMs) / 1_000)} s. Meanwhile:`,
  );
  return { days, over: live(stage, start, real) };
}

/** Waits until the days have passed, and shows what they left in the flow logs. */
export async function logsChapter(stage: Stage, { days, over }: Passing): Promise<void> {
  const { teller, alive } = stage;
  teller.chapter(
    `${days} days later`,
    'flow logs as the clouds name, lay out and write them, of the connections that really were',
  );
  const tally = await over;
  for (const name of networkNames) await alive.gates[name].flush();
  const logs = await Promise.all(
    networkNames.map(async (name) => ({ name, files: await filesBelow(join(stage.directory, 'flow-logs', name)) })),
  );
  teller.shows(`${tally.answered} connections answered, ${tally.refused} refused; the gates wrote:`);
  for (const { name, files } of logs)
    teller.shows(`${name}: ${files.length} objects, such as`, `  ${files.at(-1) ?? 'none'}`);
  const isTrue = tally.answered > days && tally.refused >= days - 1 && logs.every(({ files }) => files.length > days);
  teller.proves(`${days} days of flow logs of three clouds, of real connections`, isTrue);
}

async function live(stage: Stage, start: Instant, real: World): Promise<Tally> {
  const tally: Tally = { answered: 0, refused: 0 };
  const { world, alive, signal } = stage;
  await makeHistory({
    world,
    speed: day / dayMs,
    present: () => real.now(),
    live: (at) => liveHour(alive, { at, start }, tally),
    signal,
  });
  signal.throwIfAborted();
  return tally;
}

async function liveHour(
  alive: Alive,
  { at, start }: { readonly at: Instant; readonly start: Instant },
  tally: Tally,
): Promise<void> {
  keepGap(alive, at, start);
  const date = new Date(at);
  const when = { hour: date.getUTCHours(), weekday: date.getUTCDay() };
  await Promise.all(visitors.filter((visitor) => visitor.comes(when)).map((visitor) => come(alive, visitor, tally)));
}

async function come(alive: Alive, visitor: Visitor, tally: Tally): Promise<void> {
  const kind = miniature.find(({ name }) => name === visitor.service)?.kind ?? 'tcp';
  const seen = await visit(alive.portOf(visitor.service), kind, visitor.from);
  tally[seen.kind] += 1;
}

/**
 * Some days in the middle the interface of one service is not logged, as when a flow log was deleted and made again.
 */
function keepGap(alive: Alive, at: Instant, start: Instant): void {
  const gate = alive.gates.aws;
  const id = gate.services.find(({ name }) => name === gap.service)?.interface ?? '';
  const [from, to] = [after(start, gap.fromDay * day), after(start, gap.toDay * day)];
  if (at >= from && at < after(from, 3_600_000)) gate.log.stop(id, from);
  if (at >= to && at < after(to, 3_600_000)) gate.log.resume(id, to);
}

async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();
}
