import type { ObjectHistory, ObjectStore } from '../../shared/objects/contract.ts';
import type { AuditStores } from './audit.ts';

/**
 * The stores of a log that are read until somebody presses Ctrl-C: the next read throws the signal's reason, which ends
 * the verb with 130. What reads a log of a million entries looks at no terminal; nothing is lost by stopping it
 * anywhere.
 */
export function untilStopped({ log, state, history, anchors, ...rest }: AuditStores, signal: AbortSignal): AuditStores {
  return {
    ...rest,
    log: stoppable(log, signal),
    state: state && stoppable(state, signal),
    history: history && ({ altered: (prefix) => each(history.altered(prefix), signal) } satisfies ObjectHistory),
    anchors: anchors.map(({ name, store }) => ({ name, store: stoppable(store, signal) })),
  };
}

/** One store that is read until then. */
export function stoppable(store: ObjectStore, signal: AbortSignal): ObjectStore {
  return {
    ...store,
    async get(key) {
      signal.throwIfAborted();
      return await store.get(key);
    },
    list: (prefix, after) => each(store.list(prefix, after), signal),
  };
}

async function* each<Item>(items: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item> {
  for await (const item of items) {
    signal.throwIfAborted();
    yield item;
  }
}
