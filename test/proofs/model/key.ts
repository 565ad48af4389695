import type { StoredObject } from '../../../shared/objects/contract.ts';
import { decodeJournal } from '../../../shared/rotation/journal-format.ts';
import type { Journal } from '../../../shared/rotation/journal.ts';
import { day } from '../../../shared/base/time.ts';
import type { MemoryServiceState } from '../../../shared/services/memory-state.ts';
import type { VaultState } from '../../../shared/secrets/memory.ts';
import type { Bench, Snapshot } from './bench.ts';
import { renamed, textOf } from './canonical.ts';
import type { Flight, Footing } from './flight.ts';
import type { Answer, Call } from './replay.ts';
import { credential } from './setup.ts';
import { journalOf, type Watch } from './watch.ts';

/** Values, ids of rotations and versions, nonces: names and nothing else. */
const names = /r-[0-9a-f]{32}|VALUE[\w-]{27}|hand-[\w-]{27}|"v\d+"|"[0-9a-f]{24}"/g;

/** Moments further away than any interval of the story. */
const farMs = 40 * day;

/** What of the durable world can tell two futures apart: all but names, dates, and words for people. */
export function worldKey(bench: Bench, world: Snapshot, watch: Watch): string {
  return keyOf(world, worldText(bench, world, watch));
}

/** The same for a world with rotators under way. */
export function stateKey(
  bench: Bench,
  world: Snapshot,
  { watch, flights }: { readonly watch: Watch; readonly flights: readonly (Flight | undefined)[] },
): string {
  // Rotators whose clocks agree are alike, so their order does not count.
  const flying = flights.flatMap((flight) => (flight ? [flightText(bench, flight)] : []));
  return keyOf(world, [worldText(bench, world, watch), ...flying.toSorted()].join('|'));
}

/** Of ids that are only remembered, those count that something else names too. */
function keyOf(world: Snapshot, text: string): string {
  const isNamed = (id: string) => text.includes(id);
  const remembered = [
    (journalOf(world)?.past ?? []).filter(isNamed),
    ...Object.values(world.vaults).map((vault) =>
      Object.values(vault.secrets).map(({ shelf }) => shelf.promoted.filter(isNamed)),
    ),
  ];
  return renamed(`${text}${JSON.stringify(remembered)}`, names, { now: world.now, farMs });
}

function worldText(bench: Bench, world: Snapshot, watch: Watch): string {
  const journal = journalOf(world);
  return [
    journal ? textOf(journal, journalParts) : '-',
    hostText(bench, world.host),
    ...Object.values(world.vaults).map((vault) => textOf(vault, vaultParts)),
    // Reviews are there or not.
    `${world.objects.size} ${world.down.join(' ')} ${world.strict}`,
    textOf(watch, watchParts),
    watch.earlier ? hostText(bench, watch.earlier) : '-',
  ].join('|');
}

/** Without words for people. Its number and its nonce move together; the nonce is a name. */
function journalParts(journal: Journal): unknown {
  const { epoch: _epoch, trouble, blocked, orders, emergency, past: _past, ...rest } = journal;
  return {
    ...rest,
    trouble: trouble && { ...trouble, text: '' },
    blocked: blocked && { ...blocked, text: '' },
    orders: orders.map(({ told }) => told),
    emergency: emergency && { ...emergency, orders: emergency.orders.length },
  };
}

function hostText(bench: Bench, host: MemoryServiceState): string {
  return textOf(host, () => hostParts(bench, host));
}

function hostParts(bench: Bench, host: MemoryServiceState): unknown {
  const { failedLogins: _failedLogins, opened, endpoints, known, sessions, ...rest } = host;
  const valued = (values: MemoryServiceState['known']) =>
    Object.entries(values).map(([slot, digests]) => [slot, digests.map((digest) => bench.valueOf(digest))]);
  return {
    ...rest,
    known: valued(known),
    sessions: sessions.map(({ id, slot, endpoint }) => [opened - id, slot, endpoint]),
    endpoints: Object.values(endpoints).map(({ shown, next, ...other }) => ({
      ...other,
      shown: valued(shown),
      next: next && valued(next),
    })),
  };
}

function vaultParts(vault: VaultState): unknown {
  return Object.values(vault.secrets).map(({ shelf, unsettled, corrupt }) => ({
    shelf: { ...shelf, promoted: [] },
    unsettled: unsettled.map((one) => ({ until: one.until, current: one.shelf.current, pending: one.shelf.pending })),
    corrupt,
  }));
}

function watchParts(watch: Watch): unknown {
  const { earlier: _earlier, weaker: _weaker, handedOut: _handedOut, ...rest } = watch;
  return rest;
}

function flightText(bench: Bench, flight: Flight): string {
  const { request, began, holdsLock, lostLock, slept, isExcused, footing, entry, answers, pending } = flight;
  return [
    JSON.stringify([bench.setup.clocks[flight.rotator], request, began, holdsLock, lostLock, slept, isExcused]),
    footing ? textOf(footing, footingParts) : '-',
    ...answers.map((answer) => textOf(answer, answerParts)),
    ...pending.map((call) => textOf(call, callParts)),
    entry ? hostText(bench, entry.host) : '-',
    ...(entry ? Object.values(entry.vaults).map((vault) => textOf(vault, vaultParts)) : []),
  ].join('|');
}

function footingParts({ members }: Footing): unknown {
  const { held, ...rest } = members;
  return { ...rest, held: held && journalParts(held.journal) };
}

function callParts({ index, port, method, stage, args }: Call): unknown {
  return [index, port, method, stage, args.length];
}

/** A journal that was read is told as journals are. */
function answerParts(answer: Answer): unknown {
  if (answer.kind !== 'value' || !isStored(answer.value)) return answer;
  return [answer.index, answer.at, journalParts(decodeJournal(answer.value.bytes, credential))];
}

function isStored(value: unknown): value is StoredObject {
  return typeof value === 'object' && value !== null && 'bytes' in value;
}
