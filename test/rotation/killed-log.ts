import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { entries, type IndexedEntry } from '../../shared/audit/read.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { hasErrno } from '../../shared/base/errno.ts';
import { durableDeps, logOf, origin, writerKey, type DurablePlace } from './killed-place.ts';
import type { WatchedPlace } from './killed-watch.ts';

/** What a place on disk holds, for who looks from outside. */
export function watchedPlace(place: DurablePlace): WatchedPlace {
  return {
    stores: durableDeps(place, 'watch').stores,
    holes: () => holesIn(place),
    texts: () => filesOf(place),
  };
}

/** Everything in a place's log and journal that should not be so once its rotation is done; empty: nothing. */
async function holesIn(place: DurablePlace): Promise<readonly string[]> {
  const places = logOf(place);
  const { findings, waiting } = await verifyLog({ ...places, writerKey });
  const writer = { key: await writerKey(), origin };
  const found: IndexedEntry[] = [];
  for await (const entry of entries({ ...places, writer })) found.push(entry);
  // The runs of dead processes stand in the log by name; each process's clock is ahead of the one before.
  const events = found.toSorted((a, b) => a.at - b.at || a.n - b.n).map(({ event }) => event);
  const told = await linesOf(place, 'notices');
  return [
    ...findings.map(({ kind, key, what }) => `verify: ${kind}: ${key} ${what}`),
    ...(waiting.batches > 0 ? [`${waiting.batches} batches have no place in the log`] : []),
    ...unanswered(events),
    ...(events.some(({ action }) => action === 'rotation.done') ? [] : ['the log does not tell that it is done']),
    ...((await linesOf(place, 'refreshes')) > 0 ? [] : ['consumers were not told to read again']),
    ...(place.leaked && told < 2 ? [`people were told ${told} times of an emergency`] : []),
  ];
}

/** That a rotation was ordered or planned shows in what follows; how every other effect went is told. */
export function unanswered(events: readonly AuditEvent[]): readonly string[] {
  const open = new Set<string>();
  for (const { action, stage, correlation, details } of events) {
    const what = `${action} ${correlation} ${JSON.stringify(details['store'] ?? details['slot'] ?? null)}`;
    if (stage === 'intent' && action !== 'rotation.plan' && action !== 'rotation.order') open.add(what);
    else if (stage === 'outcome') open.delete(what);
  }
  return [...open].map((what) => `nothing tells how ${what} went`);
}

/** The text of every file of the place that is no secret store and no key. */
async function filesOf({ directory }: DurablePlace): Promise<readonly string[]> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const open = names.filter((file) => file.isFile() && /^(state|log|log-state|notices|refreshes)/.test(partOf(file)));
  return await Promise.all(open.map((file) => readFile(join(file.parentPath, file.name), 'latin1')));

  function partOf({ parentPath, name }: { readonly parentPath: string; readonly name: string }): string {
    return join(parentPath, name).slice(directory.length + 1);
  }
}

async function linesOf({ directory }: DurablePlace, file: string): Promise<number> {
  try {
    return (await readFile(join(directory, file), 'utf8')).split('\n').length - 1;
  } catch (thrown) {
    if (hasErrno(thrown, 'ENOENT')) return 0;
    throw thrown;
  }
}
