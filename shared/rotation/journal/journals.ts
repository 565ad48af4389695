import { LockkeeperError } from '../../base/error.ts';
import type { World } from '../../base/world.ts';
import type { ObjectStore, ObjectVersion } from '../../objects/contract.ts';
import { decodeJournal, encodeJournal, keyOf } from './journal-format.ts';
import type { Journal, JournalDraft } from './journal.ts';

/** A journal as it is stored, with the version that the next write must replace. */
export interface HeldJournal {
  readonly journal: Journal;
  readonly version: ObjectVersion;
}

/** The journals of all credentials, at `rotations/<credential>.json` in the state store. */
export interface Journals {
  /** `invalid` where the object there is no journal of this credential. Journals of format 1 are read too. */
  read(credential: string): Promise<HeldJournal | undefined>;
  /**
   * Writes what follows `held` (undefined: no journal yet), durable on return. `conflict` where another run has
   * written since `held` was read; `uncertain` where nobody knows: the next run reads what is there.
   */
  write(held: HeldJournal | undefined, draft: JournalDraft): Promise<HeldJournal>;
}

/** Journals over `state`, every write conditional on what was read. */
export function journals(state: ObjectStore, world: World): Journals {
  return {
    async read(credential) {
      const stored = await state.get(keyOf(credential));
      return stored && { journal: decodeJournal(stored.bytes, credential), version: stored.version };
    },
    async write(held, draft) {
      const nonce = Buffer.from(world.random(12)).toString('hex');
      const journal: Journal = { ...draft, epoch: (held?.journal.epoch ?? 0) + 1, nonce };
      const bytes = encodeJournal(journal);
      const key = keyOf(draft.credential);
      const answer = held ? await state.replace(key, bytes, held.version) : await state.create(key, bytes);
      if (answer.outcome === 'done') return { journal, version: answer.version };
      throw new LockkeeperError(
        'conflict',
        `the journal of ${draft.credential} was written by another run (${answer.outcome})`,
        { hint: 'Another run is at work on this credential; nothing to do.' },
      );
    },
  };
}
