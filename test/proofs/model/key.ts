import type { StoredObject } from '../../../shared/objects/contract.ts';
import { decodeJournal } from '../../../shared/rotation/journal-format.ts';
import type { Journal } from '../../../shared/rotation/journal.ts';
import { day } from '../../../shared/base/time.ts';
import type { MemoryServiceState } from '../../../shared/services/memory-state.ts';
import type { VaultState } from '../../../shared/secrets/memory.ts';
import type { Bench, Snapshot } from './bench.ts';
import { canonical, plain, renamed } from './canonical.ts';
import type { Flight } from './flight.ts';
import type { Answer } from './replay.ts';
import { credential } from './setup.ts';
import { journalOf, type Watch } from './watch.ts';

/** Values, ids of rotations and versions, nonces: names and nothing else. */
const names = /r-[0-9a-f]{32}|(?<![\w-])[\w-]{32}(?![\w-])|(?<![\w-])[0-9a-f]{24}(?![\w-])|(?<![\w-])v\d+(?![\w-])/g;

/** Moments further away than any interval of the story. */
const farMs = 40 * day;

/** What of the durable world can tell two futures apart: all but names, dates, and words for people. */
export function worldKey(bench: Bench, world: Snapshot, watch: Watch): string {
  return keyOfParts(world, worldParts(bench, world, watch));
}

/** The same for a world with rotators under way. */
export function stateKey(
  bench: Bench,
  world: Snapshot,
  { watch, flights }: { readonly watch: Watch; readonly flights: readonly (Flight | undefined)[] },
): string {
  const parts = worldParts(bench, world, watch);
  return keyOfParts(world, [...parts, ...flights.map((flight) => flight && flightParts(bench, flight))]);
}

/** Of ids that are only remembered, those count that something else names too. */
function keyOfParts(world: Snapshot, parts: readonly unknown[]): string {
  const naming = { now: world.now, farMs };
  const text = canonical(parts, naming);
  const isNamed = (id: string) => text.includes(id);
  const remembered = [
    (journalOf(world)?.past ?? []).filter(isNamed),
    ...Object.values(world.vaults).map((vault) =>
      Object.values(vault.secrets).map(({ shelf }) => shelf.promoted.filter(isNamed)),
    ),
  ];
  return renamed(`${text}${JSON.stringify(remembered)}`, names);
}

function worldParts(bench: Bench, world: Snapshot, watch: Watch): readonly unknown[] {
  const journal = journalOf(world);
  const others = [...world.objects.keys()].filter((key) => !key.startsWith('rotations/'));
  return [
    journal && journalParts(journal),
    // Object versions differ with every write, as nonces do.
    hostParts(bench, world.host),
    Object.values(world.vaults).map(vaultParts),
    others.length,
    world.down,
    world.strict,
    watchParts(bench, watch),
  ];
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

function watchParts(bench: Bench, watch: Watch): unknown {
  const { earlier, weaker: _weaker, handedOut: _handedOut, ...rest } = watch;
  return { ...rest, earlier: earlier && hostParts(bench, earlier) };
}

function flightParts(bench: Bench, flight: Flight): unknown {
  const { footing, entry, answers, pending, lastEvent: _event, lastIntent: _intent, run: _run, ...rest } = flight;
  const held = footing?.members.held;
  const { seen, held: _held, ...members } = footing?.members ?? {};
  return {
    ...rest,
    // Sealed texts, errors and functions are told apart by what is in them.
    members: plain(members),
    held: held && typeof held === 'object' && 'journal' in held ? journalParts(held.journal) : held,
    seen: plain(seen),
    answers: answers.map(answerParts),
    pending: pending.map(({ index, port, method, stage, args }) => [index, port, method, stage, args.length]),
    entry: entry && [hostParts(bench, entry.host), Object.values(entry.vaults).map(vaultParts)],
  };
}

/** A journal that was read is told as journals are. */
function answerParts(answer: Answer): unknown {
  if (answer.kind !== 'value' || !isStored(answer.value)) return plain(answer);
  return [answer.index, answer.at, journalParts(decodeJournal(answer.value.bytes, credential))];
}

function isStored(value: unknown): value is StoredObject {
  return typeof value === 'object' && value !== null && 'bytes' in value;
}
