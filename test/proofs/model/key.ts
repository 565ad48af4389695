import type { StoredObject } from '../../../shared/objects/contract.ts';
import { decodeJournal } from '../../../shared/rotation/journal/journal-format.ts';
import type { Journal } from '../../../shared/rotation/journal/journal.ts';
import { day, hour } from '../../../shared/base/time.ts';
import type { MemoryServiceState } from '../../../shared/services/memory-state.ts';
import type { VaultState } from '../../../shared/secrets/memory.ts';
import type { Bench, Snapshot } from './bench.ts';
import { renamed, textOf } from './canonical.ts';
import type { Flight, Footing } from './flight.ts';
import type { Answer, Call } from './replay.ts';
import { credential, slotsOf } from './setup.ts';
import { journalOf, type Watch } from './watch.ts';

/** Users, values, ids of rotations and versions, nonces: names and nothing else. */
const names = /app_[ab]|(?:r|ordered|adopted)-[0-9a-f]{16,32}|VALUE[\w-]{27}|hand-[\w-]{27}|"v\d+"|"[0-9a-f]{24}"/g;

/** Moments further away than any interval of the story. */
const farMs = 40 * day;

/** The same for moments called `near`: longer than any window, with clocks that differ. */
const nearMs = 6 * hour;

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
  const isNamed = (id: string) => text.includes(`"${id}"`);
  const journal = journalOf(world);
  const remembered = [
    (journal?.past ?? []).filter(isNamed),
    (journal?.untouched ?? []).filter(isNamed),
    ...(journal?.copies ?? []).map(({ ended }) => ended.filter(isNamed)),
    ...Object.values(world.vaults).map((vault) =>
      Object.values(vault.secrets).map(({ shelf }) => shelf.promoted.filter(isNamed)),
    ),
  ];
  return renamed(`${text}${JSON.stringify(remembered)}`, names, { now: world.now, farMs, nearMs });
}

function worldText(bench: Bench, world: Snapshot, watch: Watch): string {
  const journal = journalOf(world);
  const first = firstUser(world);
  return [
    journal ? textOf(journal, journalParts) : '-',
    hostText(bench, world.host, first),
    ...Object.values(world.vaults).map((vault) => textOf(vault, vaultParts)),
    // Reviews are there or not.
    `${world.objects.size} ${world.down.join(' ')} ${world.strict}`,
    textOf(watch, watchParts),
    watch.earlier ? hostText(bench, watch.earlier, first) : '-',
  ].join('|');
}

/**
 * Without words for people. Its number and its nonce move together; the nonce is a name. Counters beyond which every
 * pause is as long as the last one are alike, and so are beginnings of windows that are long over.
 */
function journalParts(journal: Journal): unknown {
  const {
    epoch: _epoch,
    past: _past,
    untouched: _untouched,
    startedAt,
    trouble,
    blocked,
    drain,
    orders,
    emergency,
    copies,
    ...rest
  } = journal;
  return {
    ...rest,
    copies: copies.map(({ ended: _ended, ...copy }) => copy),
    near: journal.finishedAt === null ? startedAt : null,
    trouble: trouble && troubleParts(trouble),
    blocked: blocked && [blocked.reason, blocked.told],
    drain: drain && [{ near: drain.host }, { near: drain.service }, drain.mark, drain.told],
    orders: orders.map(({ told }) => told),
    emergency: emergency && { ...emergency, orders: emergency.orders.length },
  };
}

function troubleParts({ attempts, notBefore, since, urgent, told, toldAt }: NonNullable<Journal['trouble']>): unknown {
  return [Math.min(attempts, 13), notBefore, { near: since }, urgent, Math.min(told, 6), toldAt];
}

/** Two users are alike but for what they hold: the one that is handed out comes first. */
function firstUser(world: Snapshot): string {
  for (const vault of Object.values(world.vaults)) {
    for (const { shelf } of Object.values(vault.secrets)) if (shelf.current) return shelf.current.text.slice(0, 5);
  }
  return 'app_a';
}

function hostText(bench: Bench, host: MemoryServiceState, first: string): string {
  const users = [...slotsOf(bench.setup)].toSorted((a, b) => Number(b === first) - Number(a === first));
  return [textOf(host, commonParts), ...users.map((user) => userText(bench, host, user))].join(' ');
}

function commonParts({ opened, sessions, problems, endpoints }: MemoryServiceState): unknown {
  return [
    problems,
    sessions.map(({ id, slot, endpoint }) => [opened - id, slot, endpoint]),
    Object.values(endpoints).map(({ isUp, lags, next }) => [isUp, lags, next !== undefined]),
  ];
}

const written = new WeakMap<MemoryServiceState, Map<string, string>>();

function userText(bench: Bench, host: MemoryServiceState, user: string): string {
  const texts = written.get(host) ?? new Map<string, string>();
  const valued = (values: MemoryServiceState['known'] | undefined) =>
    (values?.[user] ?? []).map((digest) => bench.valueOf(digest));
  const parts = () => [
    user,
    valued(host.known),
    Object.values(host.endpoints).map(({ shown, next }) => [valued(shown), next && valued(next)]),
  ];
  const text = texts.get(user) ?? JSON.stringify(parts());
  written.set(host, texts.set(user, text));
  return text;
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
    entry ? hostText(bench, entry.host, firstUser(entry)) : '-',
    ...(entry ? Object.values(entry.vaults).map((vault) => textOf(vault, vaultParts)) : []),
  ].join('|');
}

function footingParts({ members }: Footing): unknown {
  const { held, seen, ...rest } = members;
  // The list of users is the same everywhere, and only its order tells them apart.
  const { slots: _slots, ...service } = seen?.service ?? { slots: [] };
  return { ...rest, held: held && journalParts(held.journal), seen: seen && { ...seen, service } };
}

function callParts({ index, port, method, stage, args }: Call): unknown {
  return [index, port, method, stage, args.length];
}

/** A journal that was read is told as journals are. */
function answerParts(answer: Answer): unknown {
  if (answer.kind !== 'value') return answer;
  if (isDescription(answer.value)) return { ...answer, value: { ...answer.value, slots: [] } };
  if (!isStored(answer.value)) return answer;
  return [answer.index, answer.at, journalParts(decodeJournal(answer.value.bytes, credential))];
}

function isStored(value: unknown): value is StoredObject {
  return typeof value === 'object' && value !== null && 'bytes' in value;
}

function isDescription(value: unknown): value is { readonly slots: unknown } {
  return typeof value === 'object' && value !== null && 'slots' in value;
}
