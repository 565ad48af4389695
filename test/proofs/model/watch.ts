import type { Instant } from '../../../shared/base/time.ts';
import { decodeJournal, keyOf } from '../../../shared/rotation/journal/journal-format.ts';
import type { Journal } from '../../../shared/rotation/journal/journal.ts';
import type { StoredObject } from '../../../shared/objects/contract.ts';
import type { Login } from '../../../shared/services/contract.ts';
import type { MemoryServiceState } from '../../../shared/services/memory-state.ts';
import { loginIn, type Bench, type Snapshot } from './bench.ts';
import { credential, propagationMs, secret, storesOf, type Setup } from './setup.ts';

/** A login as one text: user and value. Only ever in memory. */
export type LoginText = string;

/** What the promises need to know of the past, and nothing else. */
export interface Watch {
  /** What stores handed out and do not any more: consumers hold it until the window after that is over. */
  readonly held: readonly { readonly login: LoginText; readonly last: Instant }[];
  /** What the stores hand out now; a login that leaves this list is held from then on. */
  readonly handedOut: readonly { readonly store: string; readonly login: LoginText | undefined }[];
  /** What a person made useless although a store hands it out: store and login. */
  readonly spoilt: readonly string[];
  /** What a rotation still published that an emergency had overtaken: store and login. Nobody is spared then. */
  readonly overtaken: readonly string[];
  /** What is handed out because a person put it there: whether it was taken back again nobody can see. */
  readonly byHand: readonly LoginText[];
  /** True where a person left no durable value that logs in. */
  readonly isLockedOut: boolean;
  /** What was valid or handed out when an emergency was ordered, until it is over. */
  readonly leaked: readonly LoginText[];
  /** Orders that are durable and not carried out. */
  readonly orders: number;
  /** No rotation is under way. */
  readonly isResting: boolean;
  /** People were told something since a rotation last began. */
  readonly heard: boolean;
  /** A person changed what is valid or handed out since this rotation began. */
  readonly touched: boolean;
  /** The service before this rotation began: what a restore brings back. */
  readonly earlier: MemoryServiceState | undefined;
  /** Promises that the drivers of the setup cannot keep and that did not hold. */
  readonly weaker: readonly string[];
}

export const nothingWatched: Watch = {
  held: [],
  handedOut: [],
  spoilt: [],
  overtaken: [],
  byHand: [],
  isLockedOut: false,
  leaked: [],
  orders: 0,
  isResting: true,
  heard: false,
  touched: false,
  earlier: undefined,
  weaker: [],
};

const decoded = new WeakMap<StoredObject, Journal>();

/** The journal in a world; undefined where there is none. */
export function journalOf({ objects }: Pick<Snapshot, 'objects'>): Journal | undefined {
  const stored = objects.get(keyOf(credential));
  if (!stored) return undefined;
  const journal = decoded.get(stored) ?? decodeJournal(stored.bytes, credential);
  decoded.set(stored, journal);
  return journal;
}

/** The watch after the world changed from `before` to `world` by something that a rotator did, or by time. */
export function watched(setup: Setup, before: Watch, world: Snapshot): Watch {
  const watch = begunOrNot(before, world);
  const handedOut = handedOutIn(setup, world);
  const isSame = handedOut.every(({ store, login }, at) => {
    const was = watch.handedOut[at];
    return was?.store === store && was.login === login;
  });
  const journal = journalOf(world);
  const overtaken = overtakenNow(watch, handedOut, journal);
  const orders = (journal?.orders.length ?? 0) + (journal?.emergency?.orders.length ?? 0);
  const next =
    isSame && watch.held.length === 0
      ? watch
      : { ...watch, handedOut, overtaken, held: heldNow(watch, handedOut, world) };
  if (orders === watch.orders) return next;
  return { ...next, orders, leaked: orders > watch.orders ? leakedNow(setup, next, world) : next.leaked };
}

/** As a rotation begins: the service as it is now is what a restore brings back; nobody was told anything of it yet. */
function begunOrNot(watch: Watch, world: Snapshot): Watch {
  const isResting = (journalOf(world)?.phase ?? 'done') === 'done';
  if (isResting === watch.isResting) return watch;
  return isResting
    ? { ...watch, isResting }
    : { ...watch, isResting, earlier: world.host, touched: false, heard: false };
}

function overtakenNow(watch: Watch, handedOut: Watch['handedOut'], journal: Journal | undefined): readonly string[] {
  const isTooLate =
    journal !== undefined &&
    (journal.orders.length > 0 || (journal.emergency !== null && /^(planned|staged|set)$/.test(journal.phase)));
  return handedOut.flatMap(({ store, login }, at) => {
    const before = watch.handedOut[at]?.login;
    const isNew = isTooLate && before !== undefined && before !== login;
    return isNew || watch.overtaken.includes(`${store} ${login}`) ? [`${store} ${login}`] : [];
  });
}

function heldNow(watch: Watch, handedOut: Watch['handedOut'], { now }: Snapshot): Watch['held'] {
  const isHandedOut = (login: LoginText) => handedOut.some((one) => one.login === login);
  const left = watch.handedOut.flatMap(({ login }) => (login === undefined || isHandedOut(login) ? [] : [login]));
  const isSpoilt = (login: LoginText) => watch.spoilt.some((one) => one.endsWith(` ${login}`));
  const still = watch.held.filter(
    ({ login, last }) => now < last + propagationMs && !isHandedOut(login) && !left.includes(login),
  );
  return [
    ...still,
    ...[...new Set(left)]
      .filter((login) => !isSpoilt(login) && !watch.byHand.includes(login))
      .map((login) => ({ login, last: now })),
  ];
}

/** What leaks when an emergency is ordered: all that a store holds or hands out. */
function leakedNow(setup: Setup, watch: Watch, world: Snapshot): readonly LoginText[] {
  const all = storesOf(setup).flatMap((store) => {
    const shelf = world.vaults[store]?.secrets[secret]?.shelf;
    return [shelf?.current, ...(shelf?.earlier ?? [])].flatMap((version) => version?.text ?? []);
  });
  return [...new Set([...watch.leaked, ...all.filter((text) => loginIn(text))])];
}

/** What each store hands out in `world`. */
export function handedOutIn(setup: Setup, world: Snapshot): Watch['handedOut'] {
  return storesOf(setup).map((store) => {
    const text = world.vaults[store]?.secrets[secret]?.shelf.current?.text;
    return { store, login: text !== undefined && loginIn(text) ? text : undefined };
  });
}

/** The promises that must hold in every state and do not. The bench is set to the world. */
export function brokenIn(bench: Bench, watch: Watch): readonly string[] {
  const { strategy } = bench.setup.service;
  const broken: string[] = [];
  if (!watch.isLockedOut && !someDurableValueLogsIn(bench)) broken.push('some durable value logs in');
  if (strategy === 'single') return broken;
  for (const { store, login } of watch.handedOut) {
    if (login === undefined || [...watch.spoilt, ...watch.overtaken].includes(`${store} ${login}`)) continue;
    if (!isIn(bench, login)) broken.push(handedOutLogsIn);
  }
  // An emergency spares nobody.
  if (watch.orders > 0) return broken;
  for (const { login } of watch.held) if (!isIn(bench, login)) broken.push(heldLogsIn);
  return broken;
}

export const handedOutLogsIn = 'what is handed out logs in';
export const heldLogsIn = 'what was handed out within the window logs in';

/** The watch after a person did something: what this spoilt is not lockkeeper's doing. The bench is set to the world. */
export function forgiven(bench: Bench, watch: Watch): Watch {
  const spoilt = watch.handedOut.flatMap(({ store, login }) =>
    login !== undefined && !isIn(bench, login) ? [`${store} ${login}`] : [],
  );
  return {
    ...watch,
    spoilt: [...new Set([...watch.spoilt, ...spoilt])],
    held: watch.held.filter(({ login }) => isIn(bench, login)),
    isLockedOut: watch.isLockedOut || !someDurableValueLogsIn(bench),
  };
}

/** What was spoilt and is not any more counts again. The bench is set to the world. */
export function healed(bench: Bench, watch: Watch): Watch {
  if (watch.spoilt.length === 0 && !watch.isLockedOut) return watch;
  const isLockedOut = watch.isLockedOut && !someDurableValueLogsIn(bench);
  const spoilt = watch.spoilt.filter((one) => {
    const [store = '', ...login] = one.split(' ');
    const text = login.join(' ');
    return watch.handedOut.some((out) => out.store === store && out.login === text) && !isIn(bench, text);
  });
  return { ...watch, spoilt, isLockedOut };
}

/** On each endpoint: a person who can read the stores gets in everywhere. */
function someDurableValueLogsIn(bench: Bench): boolean {
  const logins = Object.values(bench.vaults).flatMap((vault) => {
    const shelf = vault.shelves.get(secret);
    const versions = [shelf?.current, shelf?.pending, ...(shelf?.earlier ?? [])];
    return versions.flatMap((version) => (version && loginIn(version.text)) ?? []);
  });
  const { host } = bench;
  return host.fleet
    .named(undefined)
    .every((endpoint) => logins.some(({ slot, value }) => host.clientLogsIn(slot, value.open(), endpoint)));
}

function isIn(bench: Bench, text: LoginText): boolean {
  const login: Login | undefined = loginIn(text);
  return login !== undefined && bench.logsIn(login);
}

/** Values that are valid at some endpoint although nothing keeps them: all but what the stores hand out. */
export function strays(bench: Bench): readonly LoginText[] {
  const kept = Object.keys(bench.vaults).map((store) => bench.vaults[store]?.shelves.get(secret)?.current?.text);
  return validIn(bench).filter((login) => !kept.includes(login));
}

/** Everything with which somebody gets in at some endpoint. */
export function validIn(bench: Bench): readonly LoginText[] {
  const { endpoints, known } = bench.host.state;
  const shown = [...Object.values(endpoints).map(({ shown: values }) => values), known];
  const all = shown.flatMap((values) =>
    Object.entries(values).flatMap(([slot, digests]) => digests.map((digest) => `${slot} ${bench.valueOf(digest)}`)),
  );
  return [...new Set(all)];
}
