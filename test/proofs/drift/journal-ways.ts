import { after, day } from '../../../shared/base/time.ts';
import { bytesOf, editJournal, putJournal, type Ground } from './ground.ts';
import type { Way } from './way.ts';

/** Without a journal nothing is expected of anything. */
const needJournal = [
  'rotation-blocked',
  'rotation-overdue',
  'copy-not-configured',
  'store-changed',
  'ended-version-kept',
  'ended-accepted',
  'too-many-values',
  'idle-user-in-use',
  'sessions-not-seen',
];
const kept = new WeakMap<Ground, Uint8Array>();

function keep(ground: Ground): void {
  const bytes = bytesOf(ground.place);
  if (bytes) kept.set(ground, bytes);
}

/** With one value at a time it may be on its way to the stores, and a store that settles may show an older one. */
function whileUnknown({ strategy, vault }: Ground['setting']): readonly string[] {
  const isOneValue = strategy === 'single' || strategy === 'replacing';
  if (!isOneValue && !vault.settlesMs) return [];
  return ['current-refused', 'current-unfit', 'current-not-encrypted', 'endpoint-silent'];
}

/** What can be wrong with the journal. */
export const journalWays: readonly Way[] = [
  {
    name: 'the journal is gone',
    touches: ['journal'],
    before: ['rested', 'adopted'],
    apply: ({ place }) => putJournal(place, undefined),
    ids: () => ['journal-lost'],
    hides: needJournal,
    typed: () => 'journal-lost',
  },
  {
    name: 'the journal cannot be read',
    touches: ['journal'],
    apply: (ground) => {
      keep(ground);
      putJournal(ground.place, Buffer.from('{"format":2'));
    },
    ids: () => ['journal-unreadable'],
    hides: [...needJournal, 'staged-orphan'],
    alsoHides: whileUnknown,
    mend: (ground) => putJournal(ground.place, kept.get(ground)),
  },
  {
    name: 'the journal is of another credential',
    touches: ['journal'],
    apply: (ground) => {
      keep(ground);
      editJournal(ground.place, (journal) => ({ ...journal, credential: 'other' }));
    },
    ids: () => ['journal-unreadable'],
    hides: [...needJournal, 'staged-orphan'],
    alsoHides: whileUnknown,
    mend: (ground) => putJournal(ground.place, kept.get(ground)),
  },
  {
    name: 'the journal says that it was never adopted',
    touches: ['journal'],
    before: ['rested', 'adopted'],
    apply: ({ place }) => editJournal(place, (journal) => ({ ...journal, adopted: false })),
    ids: () => ['not-adopted'],
    hides: needJournal,
    typed: () => 'not-adopted',
  },
  {
    name: 'the journal is an older one of the same rotation',
    touches: ['journal'],
    apply: (ground) => {
      keep(ground);
      editJournal(ground.place, (journal) => ({ ...journal, epoch: Math.max(1, journal.epoch - 1), nonce: 'older' }));
    },
    ids: () => ['journal-older'],
    mend: (ground) => putJournal(ground.place, kept.get(ground)),
  },
  {
    name: 'the journal is of the rotation before',
    touches: ['journal', 'one', 'two', 'idle', 'value at b'],
    before: ['rested'],
    strategies: ['alternating', 'additive', 'replacing', 'single'],
    apply: ({ place, earlier }) => putJournal(place, earlier),
    ids: () => ['journal-older', 'store-changed one/app-db', 'store-changed two/app/db'],
    typed: () => 'journal-older',
  },
  {
    name: 'the rotation is blocked',
    touches: ['journal'],
    before: ['draining'],
    apply: ({ place }) =>
      editJournal(place, (journal) => {
        const blocked = { reason: 'in-use-again', text: 'look there', since: place.world.now(), told: false };
        return { ...journal, epoch: journal.epoch + 1, blocked };
      }),
    ids: () => ['rotation-blocked in-use-again'],
    typed: () => 'rotation-blocked in-use-again',
  },
  {
    name: 'the rotation is long overdue',
    touches: ['time'],
    apply: ({ place }) => place.world.pass(62 * day),
    ids: () => ['rotation-overdue'],
    typed: () => 'rotation-overdue',
  },
  {
    name: 'the rotation before ended long ago, as the journal says',
    touches: ['time', 'journal'],
    before: ['rested'],
    apply: ({ place }) =>
      editJournal(place, (journal) => {
        return { ...journal, epoch: journal.epoch + 1, finishedAt: after(place.world.now(), -70 * day) };
      }),
    ids: () => ['rotation-overdue'],
    typed: () => 'rotation-overdue',
  },
  {
    name: 'the configuration forgot a store',
    touches: ['two', 'plan'],
    before: ['rested', 'adopted'],
    apply: ({ around }) =>
      void around.push((deps) => ({
        ...deps,
        plan: { ...deps.plan, stores: deps.plan.stores.filter(({ store }) => store === 'one') },
      })),
    ids: () => ['copy-not-configured two/app/db'],
    hides: ['stores-differ'],
    // Without the other store nothing shows that a text that was edited holds the same login.
    mayAlso: ['store-changed'],
    typed: () => 'copy-not-configured two/app/db',
  },
];
