import type { Ground } from './ground.ts';
import { secret } from './ground.ts';
import type { Happening } from './events.ts';
import type { MemoryVault } from '../../../shared/secrets/memory.ts';
import { loginIn, textOf, type PlainLogin } from './values.ts';
import type { Watch } from './watch.ts';

/** Takes an index that may be too large for the list. */
export function pick<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length];
  if (found === undefined) throw new TypeError('an empty list');
  return found;
}

/** What persons and the world do; false where nothing came of it. */
export function happens(ground: Ground, watch: Watch, what: Happening): boolean {
  switch (what.do) {
    case 'endpoint':
      return atEndpoint(ground, watch, what);
    case 'outage':
      return outage(ground, what);
    case 'receiver':
      if (ground.receivers.length === 0) return false;
      pick(ground.receivers, what.at).fail(...what.faults);
      return true;
    case 'problem':
      ground.host.problems = what.on ? ['The login of lockkeeper lacks a right. Grant it.'] : [];
      return true;
    case 'policy':
      ground.host.policy = what.on ? () => 'it is too simple' : undefined;
      return true;
    case 'reset':
    case 'add':
    case 'disable':
      return atService(ground, watch, what);
    case 'open':
      return opens(ground, watch, what);
    case 'close': {
      const open = ground.host.state.sessions;
      if (open.length === 0) return false;
      const { id } = pick(open, what.which);
      ground.host.fleet.endSessions((one) => one.id === id);
      return true;
    }
    default:
      return inStore(ground, watch, what);
  }
}

function atEndpoint(ground: Ground, watch: Watch, { at, how }: Extract<Happening, { do: 'endpoint' }>): boolean {
  const { host } = ground;
  const name = pick(host.fleet.setup.endpoints, at);
  if (how === 'lag') host.lag(name);
  else if (how === 'caught-up') host.catchUp(name);
  else if (how === 'older') {
    // Replicas of a restored primary are made anew from it.
    const isPrimary = ground.setting.fleet === 'shared' && name === host.fleet.setup.endpoints[0];
    for (const one of isPrimary ? host.fleet.setup.endpoints : [name]) host.putBack(one, pick(ground.past, at));
    watch.hands += 1;
  } else host.setUp(name, how === 'up');
  watch.byOthers();
  return true;
}

function outage(ground: Ground, { of, at, on }: Extract<Happening, { do: 'outage' }>): boolean {
  const name = of === 'store' ? `store${at % ground.vaults.length}` : of;
  if (on) ground.outages.add(name);
  else ground.outages.delete(name);
  return true;
}

function atService(
  ground: Ground,
  watch: Watch,
  what: Extract<Happening, { do: 'reset' | 'add' | 'disable' }>,
): boolean {
  const { host, setting } = ground;
  const slot = pick(host.options.slots, what.slot);
  if (what.do === 'add' && setting.strategy !== 'additive') return false;
  watch.hands += 1;
  if (what.do === 'disable') host.setByHand(slot, undefined);
  else {
    const login = { slot, value: ground.freshValue() };
    watch.truth.know(login);
    if (what.do === 'reset') host.setByHand(slot, login.value);
    else host.addByHand(slot, login.value);
    if (what.put !== 'nowhere') put(ground.vaults.slice(0, what.put === 'one' ? 1 : undefined), textOf(login));
  }
  ground.past.push(host.state);
  watch.byHandInStore();
  return true;
}

function put(vaults: readonly MemoryVault[], text: string): void {
  for (const vault of vaults) {
    if (vault.find(secret)?.corrupt) continue;
    vault.setByHand(secret, text);
    vault.settle(secret);
  }
}

function opens(ground: Ground, watch: Watch, what: Extract<Happening, { do: 'open' }>): boolean {
  const { host } = ground;
  const endpoint = pick(host.fleet.setup.endpoints, what.endpoint);
  const vault = pick(ground.vaults, what.store);
  const login = what.cached ? watch.truth.cached() : loginIn(readBy(vault) ?? '');
  if (!login || !host.fleet.endpoint(endpoint).isUp || !host.clientLogsIn(login.slot, login.value, endpoint))
    return false;
  host.openSession(login.slot, login.value, { peer: `client${host.state.opened}`, endpoint });
  watch.sessionLogins.set(host.state.opened, login);
  return true;
}

function readBy(vault: MemoryVault): string | undefined {
  return vault.find(secret)?.corrupt ? undefined : vault.consumer(secret);
}

function inStore(ground: Ground, watch: Watch, what: Happening): boolean {
  if (what.do === 'lose-journal') {
    ground.bucket.objects.clear();
    watch.journalLost();
    return true;
  }
  if (!('store' in what)) return false;
  const vault = pick(ground.vaults, what.store);
  if (what.do === 'corrupt') {
    vault.setCorrupt(secret, what.on);
    return true;
  }
  if (vault.find(secret)?.corrupt) return false;
  if (what.do === 'drop-pending') vault.dropPending(secret);
  else if (what.do === 'roll-back') rollBack(what.all ? ground.vaults : [vault]);
  else if (what.do === 'edit') return edit(ground, watch, what);
  else if (what.do === 'stage-foreign') {
    const { shelf } = vault.find(secret) ?? {};
    if (!shelf || shelf.pending) return false;
    const pending = {
      id: vault.nextVersion(),
      text: textOf({ slot: 'app_a', value: ground.freshValue() }),
      rotation: 'r-foreign',
    };
    vault.shelves.set(secret, { ...shelf, pending });
  }
  watch.byHandInStore();
  return true;
}

function rollBack(vaults: readonly MemoryVault[]): void {
  for (const vault of vaults) {
    if (vault.find(secret)?.corrupt || vault.live(secret).earlier.length === 0) continue;
    vault.rollBack(secret);
    vault.settle(secret);
  }
}

function edit(ground: Ground, watch: Watch, what: Extract<Happening, { do: 'edit' }>): boolean {
  const vault = pick(ground.vaults, what.store);
  const text = editedText(ground, watch, what);
  if (text === undefined) return false;
  put([vault], text);
  watch.byHandInStore();
  return true;
}

function editedText(
  ground: Ground,
  watch: Watch,
  { store, with: how }: Extract<Happening, { do: 'edit' }>,
): string | undefined {
  const slot = pick(ground.host.options.slots, store);
  switch (how) {
    case 'same':
      return ground.live(pick(ground.vaults, store));
    case 'other-store':
      return ground.live(pick(ground.vaults, store + 1));
    case 'valid': {
      const valid = watch.truth.logins.filter((login) => ground.host.clientLogsIn(login.slot, login.value));
      return valid.length === 0 ? undefined : textOf(pick(valid, store));
    }
    case 'wrong':
      return textOf({ slot, value: ground.freshValue() });
    case 'stranger':
      return textOf({ slot: 'nobody', value: ground.freshValue() });
    case 'garbage':
      return 'garbage';
  }
}

/** Everything is well again: what persons broke inside stores and at the service stays as it is. */
export function heal(ground: Ground, watch: Watch): void {
  const { host } = ground;
  host.isUp = true;
  host.catchUp();
  host.problems = [];
  host.policy = undefined;
  host.fleet.endSessions(() => true);
  ground.outages.clear();
  for (const vault of ground.vaults) vault.setCorrupt(secret, false);
  for (const receiver of ground.receivers) receiver.restore({ ...receiver.state, faults: [] });
  watch.byOthers();
}

/** What a person does in the end who was called and reads what blocks: one new login, everywhere. */
export function repair(ground: Ground, watch: Watch): PlainLogin {
  const { host, vaults } = ground;
  const login = { slot: pick(host.options.slots, 0), value: ground.freshValue() };
  watch.truth.know(login);
  watch.hands += 1;
  host.setByHand(login.slot, login.value);
  put(vaults, textOf(login));
  watch.byHandInStore();
  return login;
}
