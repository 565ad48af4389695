import type { Instant } from '../../base/time.ts';
import { buried, draftOf, unique } from './advance.ts';
import type { Emergency, Journal, JournalCopy, JournalDraft, Order } from '../journal/journal.ts';
import { isAt } from './seen.ts';
import type { Of } from './step.ts';

interface Start {
  readonly credential: string;
  readonly rotation: string;
  readonly now: Instant;
}

/**
 * Begins a rotation: the first journal of a credential, or what follows `last`. What a rotation under way has not ended
 * yet ends with this one. An emergency takes the orders with it.
 */
export function begun(
  last: Journal | undefined,
  step: Pick<Of<'plan'>, 'target' | 'copies' | 'at' | 'emergency'>,
  start: Start,
): JournalDraft {
  const overtaken = last && last.phase !== 'done' ? last : undefined;
  return {
    ...blank(start),
    // What is handed out already is tried at once.
    phase: step.at === 'published' ? 'verified' : step.at,
    // An emergency does not take a credential over: the schedule leaves it alone afterwards, as before.
    adopted: step.emergency ? (last?.adopted ?? false) : true,
    target: step.target,
    copies: step.copies.map((copy) => withUnended(withEnded(copy, last), overtaken)),
    emergency: step.emergency ? emergencyOf(last?.orders ?? [], overtaken) : null,
    orders: step.emergency ? [] : (last?.orders ?? []),
    ...(last && buried(last)),
  };
}

/** The journal after a person ordered an emergency; the first one of a credential where there was none. */
export function ordered(last: Journal | undefined, order: Order, start: Start): JournalDraft {
  if (last) return { ...draftOf(last), orders: [...last.orders, order] };
  return { ...blank(start), phase: 'done', orders: [order] };
}

/** The journal of a credential that was checked and is lockkeeper's from now on. */
export function adopted(
  last: Journal | undefined,
  found: Pick<Journal, 'target' | 'copies'>,
  start: Start,
): JournalDraft {
  return {
    ...blank(start),
    ...found,
    phase: 'done',
    adopted: true,
    finishedAt: start.now,
    orders: last?.orders ?? [],
    ...(last && buried(last)),
  };
}

function blank({ credential, rotation, now }: Start): JournalDraft {
  return {
    format: 2,
    credential,
    rotation,
    phase: 'planned',
    adopted: false,
    target: '',
    copies: [],
    startedAt: now,
    drain: null,
    finishedAt: null,
    refreshed: [],
    reverted: false,
    proof: null,
    trouble: null,
    blocked: null,
    overruled: null,
    rejections: 0,
    refusals: 0,
    emergency: null,
    orders: [],
    past: [],
    untouched: [],
  };
}

function withEnded(copy: JournalCopy, last: Journal | undefined): JournalCopy {
  return { ...copy, ended: last?.copies.find((one) => isAt(one, copy))?.ended ?? [] };
}

function withUnended(copy: JournalCopy, overtaken: Journal | undefined): JournalCopy {
  const before = overtaken?.copies.find((one) => isAt(one, copy));
  if (!before) return copy;
  // A version is never current and ended at once: what is current ends when it was promoted over.
  const left = unique([...before.ends, before.expects, before.staged, before.published, ...copy.ends]);
  return { ...copy, ends: left.filter((id) => id !== (copy.published ?? copy.expects)) };
}

function emergencyOf(orders: readonly Order[], overtaken: Journal | undefined): Emergency {
  return {
    orders: [...(overtaken?.emergency?.orders ?? []), ...orders],
    cleared: false,
    unreached: [],
    reviewed: false,
    told: false,
  };
}
