import { fails } from './script.ts';
import { setupOf } from './setups.ts';

/** What a person orders. */
export const leaked = { leaked: { reason: 'found in a chat' } };

/** What of `promises` is false. */
export function broken(promises: Readonly<Record<string, boolean>>): readonly string[] {
  return Object.entries(promises).flatMap(([promise, holds]) => (holds ? [] : [promise]));
}

/** Two users take turns. */
export const alternating = setupOf('alternating', 'alternating');
/** The same in two stores. */
export const twoStores = setupOf('two stores', 'alternating', { stores: [{}, {}] });
/** Several values of one user. */
export const additive = setupOf('additive', 'additive', { service: { fence: 'exact' } });
/** Two servers that are changed one by one. */
export const fleet = setupOf('fleet', 'alternating', { service: { endpoints: ['one', 'two'], fleet: 'each' } });

const everything = ['read', 'stage', 'promote', 'abandon', 'retire'];

/** Every call of this store fails. */
export function without(store: string) {
  return { before: Object.fromEntries(everything.map((method) => [`store ${store} ${method}`, fails])) };
}
