import { day, hour, minute } from '../../../shared/base/time.ts';
import type { MemoryRefreshFault } from '../../../shared/refreshes/memory.ts';
import { breaks, type Break } from '../../broken-writes.ts';
import type { Choice } from '../hostile/seeded.ts';

/** One run of a rotator: who, how it was asked, and which of its calls break, counted from 0. */
export interface RunEvent {
  readonly rotator: number;
  readonly now: boolean;
  /** The reason of an emergency order. */
  readonly leaked?: string;
  readonly breaks: readonly (readonly [call: number, how: Break])[];
}

/** Everything that may happen in a walk. Plain data; a number that is too large for its list begins at the front again. */
export type Happening =
  | ({ readonly do: 'run' } & RunEvent)
  /** A run that stands still before its call `until`, while other things happen. */
  | ({ readonly do: 'pause'; readonly until: number } & RunEvent)
  | { readonly do: 'resume'; readonly which: number; readonly until?: number }
  | { readonly do: 'kill'; readonly which: number }
  | { readonly do: 'together'; readonly runs: readonly RunEvent[]; readonly order: number }
  | { readonly do: 'adopt'; readonly rotator: number }
  | { readonly do: 'rehearse'; readonly rotator: number; readonly leaked: boolean }
  | { readonly do: 'pass'; readonly ms: number }
  | {
      readonly do: 'endpoint';
      readonly at: number;
      readonly how: 'down' | 'up' | 'lag' | 'caught-up' | 'older';
    }
  | {
      readonly do: 'outage';
      readonly of: 'state' | 'log' | 'messenger' | 'issuer' | 'store' | 'service';
      readonly at: number;
      readonly on: boolean;
    }
  | { readonly do: 'receiver'; readonly at: number; readonly faults: readonly MemoryRefreshFault[] }
  | { readonly do: 'problem'; readonly on: boolean }
  | { readonly do: 'policy'; readonly on: boolean }
  | { readonly do: 'reset'; readonly slot: number; readonly put: 'nowhere' | 'one' | 'all' }
  | { readonly do: 'add'; readonly slot: number; readonly put: 'nowhere' | 'one' | 'all' }
  | { readonly do: 'disable'; readonly slot: number }
  | {
      readonly do: 'edit';
      readonly store: number;
      readonly with: 'same' | 'other-store' | 'valid' | 'wrong' | 'garbage' | 'stranger';
    }
  | { readonly do: 'roll-back'; readonly store: number; readonly all: boolean }
  | { readonly do: 'corrupt'; readonly store: number; readonly on: boolean }
  | { readonly do: 'drop-pending'; readonly store: number }
  | { readonly do: 'stage-foreign'; readonly store: number }
  | { readonly do: 'lose-journal' }
  | { readonly do: 'open'; readonly store: number; readonly endpoint: number; readonly cached: boolean }
  | { readonly do: 'close'; readonly which: number };

/** How wild a walk is: which kinds of happening it draws from. */
export type Mood = 'calm' | 'broken' | 'crowded' | 'handled' | 'wild';

const kinds: Readonly<Record<Mood, readonly Happening['do'][]>> = {
  calm: ['run', 'run', 'run', 'pass', 'pass', 'open', 'close', 'endpoint', 'outage'],
  broken: ['run', 'run', 'run', 'run', 'pass', 'pass', 'open', 'close', 'endpoint', 'outage', 'receiver', 'policy'],
  crowded: [
    'together',
    'together',
    'pause',
    'pause',
    'resume',
    'resume',
    'kill',
    'run',
    'pass',
    'pass',
    'open',
    'close',
  ],
  handled: [
    ...(['run', 'run', 'run', 'run', 'run', 'pass', 'pass', 'pass', 'reset', 'edit', 'edit', 'roll-back'] as const),
    ...(['lose-journal', 'add', 'disable', 'open', 'close', 'drop-pending', 'stage-foreign', 'corrupt'] as const),
  ],
  wild: [
    ...(['run', 'run', 'run', 'run', 'together', 'pause', 'resume', 'kill', 'pass', 'pass', 'pass', 'reset'] as const),
    ...(['edit', 'roll-back', 'lose-journal', 'add', 'disable', 'open', 'close', 'drop-pending', 'problem'] as const),
    ...(['stage-foreign', 'corrupt', 'endpoint', 'outage', 'receiver', 'policy', 'adopt', 'rehearse'] as const),
  ],
};

/** What happens in one walk, in order. */
export function drawHappenings(choice: Choice, length: number): readonly Happening[] {
  const mood = choice.of(['calm', 'broken', 'crowded', 'handled', 'wild', 'wild'] as const);
  const isUrgent = choice.once(3);
  return Array.from({ length }, () => draw(choice, choice.of(kinds[mood]), { breaks: mood !== 'calm', isUrgent }));
}

interface RunMood {
  readonly breaks: boolean;
  readonly isUrgent: boolean;
}

function draw(choice: Choice, kind: Happening['do'], mood: RunMood): Happening {
  const index = () => choice.below(3);
  switch (kind) {
    case 'run':
      return { do: 'run', ...drawRun(choice, mood) };
    case 'pause':
      return { do: 'pause', until: choice.below(90), ...drawRun(choice, mood) };
    case 'resume':
      return choice.once(2)
        ? { do: 'resume', which: index() }
        : { do: 'resume', which: index(), until: choice.below(60) };
    case 'kill':
      return { do: 'kill', which: index() };
    case 'together': {
      const runs = Array.from({ length: choice.of([2, 2, 3]) }, () => drawRun(choice, mood));
      return { do: 'together', runs, order: choice.below(1_000_000) };
    }
    case 'adopt':
      return { do: 'adopt', rotator: index() };
    case 'rehearse':
      return { do: 'rehearse', rotator: index(), leaked: choice.once(3) };
    case 'pass':
      return { do: 'pass', ms: choice.of([minute, 10 * minute, hour, 3 * hour, 9 * hour, day, 10 * day, 31 * day]) };
    default:
      return drawTrouble(choice, kind);
  }
}

function drawTrouble(choice: Choice, kind: Happening['do']): Happening {
  const index = () => choice.below(3);
  const on = choice.once(2);
  switch (kind) {
    case 'endpoint':
      return { do: 'endpoint', at: index(), how: choice.of(['down', 'up', 'lag', 'caught-up', 'older']) };
    case 'outage':
      return {
        do: 'outage',
        of: choice.of(['state', 'log', 'messenger', 'issuer', 'store', 'service']),
        at: index(),
        on,
      };
    case 'receiver':
      return { do: 'receiver', at: index(), faults: Array.from({ length: 1 + index() }, () => drawFault(choice)) };
    case 'problem':
      return { do: 'problem', on };
    case 'policy':
      return { do: 'policy', on };
    case 'corrupt':
      return { do: 'corrupt', store: index(), on };
    default:
      return drawHand(choice, kind);
  }
}

function drawHand(choice: Choice, kind: Happening['do']): Happening {
  const index = () => choice.below(3);
  switch (kind) {
    case 'reset':
    case 'add':
      return { do: kind, slot: index(), put: choice.of(['nowhere', 'one', 'all']) };
    case 'disable':
      return { do: 'disable', slot: index() };
    case 'edit': {
      const texts = ['same', 'other-store', 'other-store', 'valid', 'valid', 'wrong', 'garbage', 'stranger'] as const;
      return { do: 'edit', store: index(), with: choice.of(texts) };
    }
    case 'roll-back':
      return { do: 'roll-back', store: index(), all: choice.once(2) };
    case 'drop-pending':
      return { do: 'drop-pending', store: index() };
    case 'stage-foreign':
      return { do: 'stage-foreign', store: index() };
    case 'open':
      return { do: 'open', store: index(), endpoint: index(), cached: choice.once(3) };
    case 'close':
      return { do: 'close', which: choice.below(6) };
    default:
      return { do: 'lose-journal' };
  }
}

function drawRun(choice: Choice, mood: RunMood): RunEvent {
  const isLeaked = choice.once(mood.isUrgent ? 5 : 60);
  const breaking = mood.breaks && choice.once(2) ? choice.of([1, 1, 2]) : 0;
  return {
    rotator: choice.below(3),
    now: choice.once(2),
    ...(isLeaked && { leaked: choice.of(['in a chat', 'in a chat', 'in a log', 'lost laptop']) }),
    breaks: Array.from({ length: breaking }, () => [choice.below(choice.of([12, 40, 90])), choice.of(breaks)] as const),
  };
}

function drawFault(choice: Choice): MemoryRefreshFault {
  return choice.of(['rejected', 'denied', 'throttled', 'unreachable', 'unsure', 'lost']);
}
