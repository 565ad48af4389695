import { asLockkeeperError, hasCode } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import type { Note } from './finding.ts';

/** What a store answers of one object alone; `invalid` where a record names what can be no object at all. */
const ofOneObject = ['conflict', 'denied', 'invalid'] as const;

/**
 * A store as an auditor reads it: what lies under a key and cannot be read as an object (a link, a device, more bytes
 * than any such object has, no permission) is noted and taken for absent, so that everything else is still looked at.
 * `where` stands before its keys in findings. A store that does not answer at all throws, as ever.
 */
export function asFound(store: ObjectStore, note: Note, where = ''): ObjectStore {
  const noted = (key: string, thrown: unknown): undefined => {
    if (!ofOneObject.some((code) => hasCode(thrown, code))) throw thrown;
    note({ key: `${where}${key}`, kind: 'unreadable', what: `cannot be read: ${asLockkeeperError(thrown).message}` });
  };
  return {
    ...store,
    async get(key) {
      try {
        return await store.get(key);
      } catch (thrown) {
        return noted(key, thrown);
      }
    },
    async *list(prefix, after) {
      try {
        yield* store.list(prefix, after);
      } catch (thrown) {
        if (prefix === '') throw thrown;
        noted(prefix.replace(/\/$/, ''), thrown);
      }
    },
  };
}
