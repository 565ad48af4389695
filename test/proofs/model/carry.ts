import { LockkeeperError, type ErrorCode } from '../../../shared/base/error.ts';
import type { Instant } from '../../../shared/base/time.ts';
import type { LoginAnswer } from '../../../shared/services/contract.ts';
import type { Bench, Snapshot } from './bench.ts';
import type { Flight } from './flight.ts';
import type { Answer, Call } from './replay.ts';

/** How one call goes: as it should, or as an adversary wants it. */
export type Going = 'well' | 'failed' | 'lost-applied' | 'lost-not-applied' | 'rejected';

/** The world and the flight after one call, before the flight's own code went on. */
export interface Carried {
  readonly world: Snapshot;
  readonly flight: Flight;
}

/** Calls that change nothing; several at once are answered together. */
export function isRead({ port, method, within }: Call): boolean {
  return (
    method === 'get' ||
    method === 'describe' ||
    method === 'sessions' ||
    (method === 'read' && within === undefined && port !== 'service')
  );
}

/** True for a login: it changes nothing but the count of failures, and its answer is worth one run. */
export function isAsk({ method }: Call): boolean {
  return method === 'accepts';
}

/** True where the driver calls the guard, or pauses between its read and its write, before it does anything. */
export function hasInside(bench: Bench, { port, method }: Call): boolean {
  if (port === 'service') return method === 'change' || method === 'retire';
  const store = bench.stores[port.replace('store ', '')];
  return store?.writes === 'checked' && (method === 'stage' || method === 'promote' || method === 'abandon');
}

/** The driver begins: under its lock, or after its first look. */
export function enter(bench: Bench, world: Snapshot, flight: Flight, call: Call): Carried {
  const holdsLock = flight.holdsLock || (call.port === 'service' && (bench.setup.service.fence ?? 'lock') === 'lock');
  const entered: Answer = { index: call.index, at: world.now, kind: 'entered' };
  return { world, flight: { ...flight, holdsLock, entry: world, answers: [...flight.answers, entered] } };
}

/** Carries out `calls`, which are one call or several reads, on the real drivers, and gives the flight the answers. */
export async function carry(
  bench: Bench,
  at: { readonly world: Snapshot; readonly flight: Flight },
  calls: readonly Call[],
  going: Going = 'well',
): Promise<Carried> {
  bench.load(at.world);
  const answers: Answer[] = [];
  for (const call of calls) answers.push(await answerTo(bench, at, call, going));
  const isOver = calls.some((call) => call.port === 'service' && call.stage === 'inside');
  const flight = { ...at.flight, answers: [...at.flight.answers, ...answers] };
  return {
    world: bench.save(),
    flight: isOver ? { ...flight, holdsLock: false, lostLock: false, entry: undefined } : flight,
  };
}

async function answerTo(
  bench: Bench,
  { world, flight }: { readonly world: Snapshot; readonly flight: Flight },
  call: Call,
  going: Going,
): Promise<Answer> {
  const thrown = (error: unknown): Answer => ({ index: call.index, at: world.now, kind: 'thrown', thrown: error });
  if (going === 'failed' && isAsk(call)) return silent(bench, call, world.now);
  if (going === 'failed') return thrown(fault('unreachable', call, 'does not answer'));
  if (going === 'rejected') return thrown(fault('rejected', call, 'refuses the value'));
  if (going === 'lost-not-applied') return thrown(fault('uncertain', call, 'gave no answer'));
  if (flight.lostLock && call.port === 'service' && call.stage === 'inside')
    return thrown(fault('conflict', call, 'has lost the lock, and does nothing'));
  const downPort = call.port.replace('store ', '');
  if (world.down.includes(downPort)) return thrown(fault('unreachable', call, 'does not answer'));
  try {
    const value = await applied(bench, world, flight, call);
    if (going === 'lost-applied') return thrown(fault('uncertain', call, 'gave no answer'));
    return { index: call.index, at: world.now, kind: 'value', value };
  } catch (error) {
    if (!(error instanceof LockkeeperError)) throw error;
    return thrown(error);
  }
}

function fault(code: ErrorCode, { port, method }: Call, what: string): LockkeeperError {
  return new LockkeeperError(code, `${port} ${what} to ${method}`, { hint: 'Wait.' });
}

/** One endpoint, the last, gives no answer to a login. */
async function silent(bench: Bench, call: Call, at: Instant): Promise<Answer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the method `accepts` takes a login
  const answers = await bench.service.accepts(call.args[0] as never);
  const last = answers.length - 1;
  const value = answers.map((answer, one): LoginAnswer =>
    one === last ? { ...answer, answer: 'no-answer', error: fault('unreachable', call, 'does not answer') } : answer,
  );
  return { index: call.index, at, kind: 'value', value };
}

/**
 * The call on the real driver. A driver that read something before its guard ran, or before it wrote, reads it from the
 * world as it was then; what it writes it writes to the world as it is.
 */
async function applied(bench: Bench, world: Snapshot, flight: Flight, call: Call): Promise<unknown> {
  const { entry } = flight;
  const isInside = call.stage === 'inside' && entry !== undefined;
  const readsFirst = isInside && (call.port !== 'service' || bench.setup.service.fence === 'exact');
  if (readsFirst) bench.load({ ...world, ...pastOf(entry, call) });
  let isNow = !readsFirst;
  const now = async () => {
    if (!isNow) bench.load(world);
    isNow = true;
  };
  bench.between = isInside ? now : undefined;
  try {
    return await delivered(bench, call, now);
  } finally {
    bench.between = undefined;
    // It was content with what it had read, and wrote nothing.
    if (!isNow) bench.load(world);
  }
}

/** Only what the driver itself read is from before. */
function pastOf(entry: Snapshot, { port }: Call): Partial<Snapshot> {
  return port === 'service' ? { host: entry.host } : { vaults: entry.vaults };
}

async function delivered(bench: Bench, { port, method, args }: Call, guard: () => Promise<void>): Promise<unknown> {
  const target: unknown =
    port === 'service' ? bench.service : port === 'state' ? bench.state : bench.stores[port.slice(6)];
  if (port === 'people' || port === 'refresh') return undefined;
  if (typeof target !== 'object' || target === null) throw new Error(`nobody answers for ${port}`);
  const member: unknown = Reflect.get(target, method);
  if (typeof member !== 'function') throw new Error(`${port} has no ${method}`);
  const [first, second, ...rest] = args;
  const full =
    port === 'service' && (method === 'change' || method === 'retire') ? [first, second, guard, ...rest] : args;
  const answer: unknown = Reflect.apply(member, target, full);
  return await answer;
}
