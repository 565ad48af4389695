import { after, type Instant } from '../../../shared/base/time.ts';
import type { Notice } from '../../../shared/approvals/contract.ts';
import type { AuditEvent } from '../../../shared/audit/entry.ts';
import type { StoredObject, CreateAnswer, ReplaceAnswer } from '../../../shared/objects/contract.ts';
import type { RotationDeps } from '../../../shared/rotation/plan.ts';
import { goOn, newRun, type RotationReport } from '../../../shared/rotation/run.ts';
import type { RotateRequest, Run } from '../../../shared/rotation/effects/under-way.ts';
import type { SecretState, SecretVersion } from '../../../shared/secrets/contract.ts';
import type { EndpointResult, LoginAnswer, ServiceDescription, Session } from '../../../shared/services/contract.ts';
import type { Refresh } from '../../../shared/refreshes/contract.ts';
import type { Snapshot } from './bench.ts';
import { replay, type Answer, type Call, type Ports, type Standing } from './replay.ts';
import { planOf } from './plan.ts';
import { storesOf, type Setup } from './setup.ts';

/** What a run holds when a step is over; the rest of the run follows from it and from what the world answers. */
export interface Footing {
  readonly members: Readonly<Partial<Run>>;
  /** Draws of random bytes so far. */
  readonly drawn: number;
}

/** A run of a rotator under way: the real code, stopped where it waits for the world. */
export interface Flight {
  readonly rotator: number;
  readonly request: RotateRequest;
  /** Which run it is; its random bytes follow from it. */
  readonly run: number;
  /** Undefined: no step is over. */
  readonly footing: Footing | undefined;
  /** When the footing was reached. */
  readonly began: Instant;
  /** What the world answered since. */
  readonly answers: readonly Answer[];
  readonly pending: readonly Call[];
  /** What the driver read before it called the guard, or before it wrote. */
  readonly entry: Snapshot | undefined;
  readonly holdsLock: boolean;
  /** The connection that held the lock is gone: what would be done under it is not. */
  readonly lostLock: boolean;
  /** Time passed while it was under way. */
  readonly slept: boolean;
  /** A person spoilt what is handed out while it was under way. */
  readonly isExcused: boolean;
  /** The last event that it handed to the log. */
  readonly lastEvent: AuditEvent | undefined;
  /** The call that handed it to the log, where that was an intent. */
  readonly lastIntent: number | undefined;
}

/** What a run said on its way: everything that leaves it. */
export interface Said {
  readonly events: readonly AuditEvent[];
}

/** A flight after it got one more answer: where it stands, or how it ended. */
export type Landing = Said &
  ({ readonly flight: Flight } | { readonly report: RotationReport } | { readonly thrown: unknown });

/** The first footing of a run that begins now. */
export function takeOff(flight: Pick<Flight, 'rotator' | 'request' | 'run' | 'began'>): Flight {
  return {
    ...flight,
    footing: undefined,
    answers: [],
    pending: [],
    entry: undefined,
    holdsLock: false,
    lostLock: false,
    slept: false,
    isExcused: false,
    lastEvent: undefined,
    lastIntent: undefined,
  };
}

/** Runs the real code from the flight's footing with all its answers, up to where it waits for the next one. */
export async function flyOn(setup: Setup, flight: Flight): Promise<Landing> {
  const tape: Tape = { events: [], footing: undefined };
  const standing = await replay((ports) => programOf(setup, flight, ports, tape), {
    began: flight.began,
    answers: flight.answers,
    inline: (call) => (call.port === 'audit' ? { value: heard(call, tape) } : undefined),
  });
  return landed(flight, tape, standing);
}

interface Tape {
  /** What was handed to the log, by the number of the call. */
  readonly events: { readonly index: number; readonly event: AuditEvent }[];
  /** Where the last step that ended left the run, and how many calls were made by then. */
  footing: { readonly at: Footing; readonly made: number; readonly now: Instant } | undefined;
}

function landed(flight: Flight, tape: Tape, standing: Standing<RotationReport>): Landing {
  const events = tape.events.map(({ event }) => event);
  if (standing.ended)
    return 'result' in standing ? { events, report: standing.result } : { events, thrown: standing.thrown };
  const last = tape.events.at(-1);
  const lastEvent = last?.event ?? flight.lastEvent;
  const intent = last?.event.stage === 'intent' ? last.index : undefined;
  const { footing } = tape;
  if (!footing) return { events, flight: { ...flight, pending: standing.pending, lastEvent, lastIntent: intent } };
  // The calls since the footing are counted anew from it.
  const shifted = <T extends { readonly index: number }>(one: T): T => ({ ...one, index: one.index - footing.made });
  return {
    events,
    flight: {
      ...flight,
      footing: footing.at,
      began: footing.now,
      answers: flight.answers.filter(({ index }) => index >= footing.made).map(shifted),
      pending: standing.pending.map(shifted),
      lastEvent,
      lastIntent: intent === undefined || intent < footing.made ? undefined : intent - footing.made,
    },
  };
}

async function programOf(setup: Setup, flight: Flight, ports: Ports, tape: Tape): Promise<RotationReport> {
  let drawn = flight.footing?.drawn ?? 0;
  const random = (bytes: number) => {
    drawn += 1;
    return drawnBytes(flight.run * 4_096 + drawn, bytes);
  };
  // The deadline is asked at the top of every step: all that the step before leaves to it is in the run then.
  const atTop = () => {
    const { deps: _deps, request: _request, journals: _journals, steps: _steps, ...members } = run;
    tape.footing = { at: { members, drawn }, made: ports.made(), now: ports.now() };
  };
  const run = newRun(depsOf(setup, flight, ports, { random, atTop }), flight.request);
  Object.assign(run, flight.footing?.members);
  return await goOn(run);
}

function heard(call: Call, tape: Tape): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the port `audit` is called with events only
  const event = call.args[0] as AuditEvent;
  tape.events.push({ index: call.index, event });
  return { run: 'model', n: 0, hash: '', at: 0 };
}

/**
 * Bytes that no other draw gave: enough to be unique, and cheap. A value that is made of them begins with VALUE, so that
 * it is found in any text.
 */
export function drawnBytes(seed: number, bytes: number): Uint8Array {
  const drawn = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 1) drawn[at] = (seed >>> ((at % 4) * 6)) & 63;
  drawn.set([21, 0, 11, 20, 4].slice(0, bytes));
  return drawn;
}

/** The dependencies of a run all of whose dealings with the world go through `ports`. */
function depsOf(
  setup: Setup,
  { rotator }: Pick<Flight, 'rotator'>,
  ports: Ports,
  { random, atTop }: { readonly random: (bytes: number) => Uint8Array; readonly atTop: () => void },
): RotationDeps {
  const names = storesOf(setup);
  const ahead = setup.clocks[rotator] ?? 0;
  const now = () => after(ports.now(), ahead);
  return {
    plan: planOf(names, setup.refresh ? ['app'] : []),
    stores: Object.fromEntries(names.map((name, at) => [name, storeOf(setup, { name, at }, ports)])),
    service: serviceOf(ports),
    ...(setup.refresh && { refreshes: { app: refreshOf(ports) } }),
    state: stateOf(ports),
    audit: { record: (event) => answered(ports.ask('audit', 'record', [event])) },
    world: {
      now,
      random,
      deadline() {
        atTop();
        return after(now(), 1e12);
      },
    },
    notify: (notice: Notice) => answered(ports.ask('people', 'notify', [notice])),
    actor: rotator === 0 ? 'lockkeeper' : 'someone',
  };
}

/** The answers come from the real drivers, which keep to their types. */
async function answered<T>(answer: Promise<unknown>): Promise<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return (await answer) as T;
}

function serviceOf(ports: Ports): RotationDeps['service'] {
  return {
    describe: () => answered<ServiceDescription>(ports.ask('service', 'describe', [])),
    change: (login, keep, guard) =>
      answered<readonly EndpointResult[]>(ports.ask('service', 'change', [login, keep], guard)),
    accepts: (login) => answered<readonly LoginAnswer[]>(ports.ask('service', 'accepts', [login])),
    sessions: (...args) => answered<readonly Session[]>(ports.ask('service', 'sessions', args)),
    retire: (slot, keep, guard, options) =>
      answered<readonly EndpointResult[]>(ports.ask('service', 'retire', [slot, keep, options], guard)),
  };
}

function storeOf(
  { stores }: Setup,
  { name, at }: { readonly name: string; readonly at: number },
  ports: Ports,
): RotationDeps['stores'][string] {
  const { writes = 'conditional', settlesMs = 0 } = stores[at] ?? {};
  // A checked store reads and then writes: it has a place between the two, as a driver with a guard has.
  const pause = writes === 'checked' ? async () => undefined : undefined;
  const port = `store ${name}`;
  return {
    writes,
    settlesMs,
    read: (...args) => answered<SecretState>(ports.ask(port, 'read', args)),
    stage: (...args) => answered<SecretVersion>(ports.ask(port, 'stage', args, pause)),
    promote: (...args) => answered<SecretVersion>(ports.ask(port, 'promote', args, pause)),
    abandon: (...args) => answered(ports.ask(port, 'abandon', args, pause)),
    retire: (...args) => answered(ports.ask(port, 'retire', args)),
  };
}

function refreshOf(ports: Ports): Refresh {
  return { poke: (news) => answered(ports.ask('refresh', 'poke', [news])) };
}

function stateOf(ports: Ports): RotationDeps['state'] {
  const never = (): never => {
    throw new Error('a rotation neither lists nor deletes objects');
  };
  return {
    get: (key) => answered<StoredObject | undefined>(ports.ask('state', 'get', [key])),
    create: (...args) => answered<CreateAnswer>(ports.ask('state', 'create', args)),
    replace: (...args) => answered<ReplaceAnswer>(ports.ask('state', 'replace', args)),
    list: never,
    delete: never,
  };
}
