import {
  resetWhileDraining,
  resetAfterVerified,
  leakedWithStoreDown,
  leakedWithSilentEndpoint,
  secondLeak,
  journalLostWhileDraining,
  clockBehind,
  settlingStore,
  pendingVanishes,
  cannotBegin,
  replicaLags,
  rolledBack,
} from './rows-begun.ts';
import {
  garbageInOneStore,
  emergencyWhileDraining,
  forgottenValues,
  twoSlots,
  pausedInTheLock,
  pausedPromote,
  stateFailsInConflict,
  changedByHandAfterPublishing,
  restoredBeforeTheOldCopyEnds,
  lostPromotionOfSettlingStore,
  rolledBackAfterLostPromotion,
} from './rows-later.ts';

/** One way in which a rotation once went wrong, told on the real code; what it answers did not hold. */
export interface Row {
  readonly name: string;
  readonly tell: () => Promise<readonly string[]>;
}

/** What went wrong once, each with the right behaviour. */
export const rows: readonly Row[] = [
  { name: 'a user reset while draining is not what the old one is ended for', tell: resetWhileDraining },
  { name: 'a value that was refused since it was verified is not published', tell: resetAfterVerified },
  {
    name: 'an emergency is durable and told before anything is looked at, and one store down stops only itself',
    tell: leakedWithStoreDown,
  },
  { name: 'an emergency acts on the endpoints that answer and says which is left', tell: leakedWithSilentEndpoint },
  { name: 'a second leak during an emergency is not swallowed', tell: secondLeak },
  { name: 'a journal lost while draining begins as draining', tell: journalLostWhileDraining },
  { name: 'a host whose clock is behind does not end the window', tell: clockBehind },
  { name: 'the answer of a write counts where a store settles', tell: settlingStore },
  { name: 'a staged value that vanishes is followed by another', tell: pendingVanishes },
  { name: 'a rotation that cannot begin is told, and asks less and less often', tell: cannotBegin },
  { name: 'a replica that lags does not block a single user', tell: replicaLags },
  { name: 'a store rolled back while draining is followed', tell: rolledBack },
  { name: 'garbage in one store does not stop an emergency', tell: garbageInOneStore },
  { name: 'an emergency in the middle of a rotation leaves one value', tell: emergencyWhileDraining },
  { name: 'values that were forgotten are ended', tell: forgottenValues },
  { name: 'a slot of two keeps what consumers read', tell: twoSlots },
  { name: 'a promotion that paused for two rotations locks nobody out', tell: pausedPromote },
  { name: 'a promotion that pauses in the lock is not overtaken', tell: pausedInTheLock },
  {
    name: 'a change by hand in both places after a publication is not overwritten',
    tell: changedByHandAfterPublishing,
  },
  { name: 'an old copy ends only for a value that logs in', tell: restoredBeforeTheOldCopyEnds },
  {
    name: 'a promotion whose answer is lost in a store that settles is not taken for a loss',
    tell: lostPromotionOfSettlingStore,
  },
  { name: 'a value that was handed out for a moment drains', tell: rolledBackAfterLostPromotion },
  { name: 'a state store that fails while a conflict is looked into is told', tell: stateFailsInConflict },
];
