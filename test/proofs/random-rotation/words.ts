import type { Happening, RunEvent } from './events.ts';
import type { Ground } from './ground.ts';
import type { Process } from './process.ts';
import type { Truth } from './truth.ts';

/** A happening in a few words. */
export function inWords({ do: name, ...rest }: Happening): string {
  const details = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [name, ...details].join(' ');
}

/** A run in a few words. */
export function runInWords(event: RunEvent, process: Process): string {
  const asked = event.leaked === undefined ? (event.now ? ' --now' : '') : ` --now --leaked "${event.leaked}"`;
  const broken =
    event.breaks.length === 0 ? '' : ` [${event.breaks.map(([call, how]) => `${how} ${call}`).join(', ')}]`;
  return `${process.name} by rotator ${event.rotator}${asked}${broken}`;
}

/** How everything stands: stores, service and journal. */
export function standOf(ground: Ground, truth: Truth): string {
  const nameOf = (text: string | undefined) =>
    text === undefined ? '-' : (truth.names.get(text) ?? `"${text.slice(0, 12)}"`);
  const stores = ground.vaults.map((vault, at) => {
    const { current, pending, earlier = [] } = Object.values(vault.state.secrets)[0]?.shelf ?? {};
    const before = earlier.map(({ id, text }) => `${nameOf(text)}(${id})`).join(',');
    return `store${at}: ${nameOf(current?.text)}(${current?.id ?? ''})${pending ? ` pending ${nameOf(pending.text)}(${pending.id})` : ''}${before ? ` before ${before}` : ''}`;
  });
  const { fleet } = ground.host;
  const endpoints = fleet.setup.endpoints.map((name) => {
    const slots = ground.host.options.slots.map(
      (slot) =>
        fleet
          .shown(name, slot)
          .map((digest) => truth.nameOfDigest(slot, digest))
          .join('+') || `${slot} none`,
    );
    const { isUp, lags, next } = fleet.endpoint(name);
    return `${name}: ${slots.join(' ')}${isUp ? '' : ' (silent)'}${lags ? ' (lags)' : ''}${next ? ' (behind)' : ''}`;
  });
  const journal = ground.journal();
  const copies = journal?.copies.map(
    ({ expects, staged, published, ends }) =>
      `[${expects ?? '-'}>${staged ?? '-'}>${published ?? '-'} ends ${ends.join(',')}]`,
  );
  const stands = journal
    ? `${journal.phase} ${journal.target}${journal.emergency ? ' emergency' : ''}${journal.orders.length > 0 ? ` orders ${journal.orders.length}` : ''}${journal.blocked ? ` blocked ${journal.blocked.reason}` : ''} ${copies?.join('') ?? ''}`
    : 'none';
  return `${new Date(ground.now).toISOString().slice(5, 16)} | ${stores.join('; ')} | ${endpoints.join('; ')} | journal ${stands}`;
}
