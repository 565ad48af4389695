import { hour, minute } from '../../../shared/base/time.ts';
import { leaked, broken, alternating, twoStores, fleet, without } from './row-parts.ts';
import { dies, Script } from './script.ts';
import { secret } from './setup.ts';
import { setupOf } from './setups.ts';

/** A user reset while draining is not what the old one is ended for. */
export async function resetWhileDraining(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  const [first = ''] = script.handedOut;
  await script.run();
  script.resets('app_b');
  script.pass(2 * hour);
  await script.run();
  const isSpared = script.consumersLogIn || script.logsIn(first);
  await script.runOn();
  return broken({
    'consumers log in again, or people are told': script.consumersLogIn || script.notices.length > 0,
    'the old value lives as long as the new one is refused': isSpared,
  });
}

/** A value that was refused since it was verified is not published. */
export async function resetAfterVerified(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  await script.run({}, { before: { 'store one promote': dies } });
  script.resets('app_b');
  await script.run();
  const isIn = script.consumersLogIn;
  const report = await script.runOn();
  return broken({
    'what is refused is not published': isIn,
    'it ends with consumers who log in': report?.outcome !== 'blocked' && script.consumersLogIn,
  });
}

/** An emergency is durable and told before anything is looked at, and one store down stops only itself. */
export async function leakedWithStoreDown(): Promise<readonly string[]> {
  const script = await Script.begin(twoStores);
  const [first = ''] = script.handedOut;
  const down = without('two').before;
  let toldBeforeLook = -1;
  const looks = () => {
    if (toldBeforeLook < 0) toldBeforeLook = script.notices.length;
  };
  await script.run(leaked, { before: { ...down, 'service describe': looks } });
  const journal = script.journal();
  const isDurable = (journal?.orders.length ?? 0) + (journal?.emergency?.orders.length ?? 0) > 0;
  for (let runs = 0; runs < 5; runs += 1) await script.run({}, without('two'));
  const isRefused = !script.valid.includes(first);
  const [one = ''] = script.handedOut;
  const isReached = one !== first && script.logsIn(one);
  const report = await script.runOn();
  return broken({
    'the order is durable': isDurable,
    'people are told before anything is looked at': toldBeforeLook > 0,
    'the store that answers goes on': isReached,
    'the leaked value is refused': isRefused,
    'it ends once the store is back':
      report?.outcome === 'done' && script.consumersLogIn && !script.valid.includes(first),
  });
}

/** An emergency acts on the endpoints that answer and says which is left. */
export async function leakedWithSilentEndpoint(): Promise<readonly string[]> {
  const script = await Script.begin(fleet);
  const [first = '', value = first.slice(6)] = script.handedOut;
  script.bench.host.setUp('two', false);
  let worst = 0;
  await script.run(leaked);
  for (let hours = 0; hours < 30; hours += 1) {
    // Each time two runs, one right after the other.
    script.pass(hour);
    await script.run();
    const began = script.calls.get('service retire') ?? 0;
    const report = await script.run();
    if (report?.outcome === 'waiting' || script.calls.get('service retire') === began) worst += 1;
  }
  const isRefused = !script.bench.host.holds('app_a', value, 'one');
  const isTold = script.notices.some(({ text }) => text.includes('two'));
  script.bench.host.setUp('two', true);
  await script.runOn();
  return broken({
    'the endpoint that answers refuses the leaked value': isRefused,
    'people are told which endpoint is left': isTold,
    'every run tries again': worst === 0,
    'it ends once the endpoint answers': !script.valid.includes(first) && script.consumersLogIn,
  });
}

/** A second leak during an emergency is not swallowed. */
export async function secondLeak(): Promise<readonly string[]> {
  const script = await Script.begin(fleet);
  script.bench.host.setUp('two', false);
  await script.run(leaked);
  await script.run();
  const [second = ''] = script.handedOut;
  await script.run({ leaked: { reason: 'and in a mail' } });
  script.bench.host.setUp('two', true);
  await script.runOn();
  await script.runOn();
  return broken({
    'what leaked second is refused as well': !script.valid.includes(second),
    'its reason is in the log': JSON.stringify(script.events).includes('and in a mail'),
    'consumers log in': script.consumersLogIn,
  });
}

/** A journal lost while draining begins as draining. */
export async function journalLostWhileDraining(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  const [first = ''] = script.handedOut;
  await script.run();
  script.losesJournal();
  script.pass(minute);
  await script.run({ now: true });
  const isSpared = script.logsIn(first) && script.consumersLogIn;
  script.pass(hour);
  await script.run({ now: true });
  const isStillSpared = script.logsIn(first) && script.consumersLogIn;
  await script.runOn();
  return broken({
    'what consumers may hold is not set anew': isSpared,
    'the window counts from now': isStillSpared,
    'it ends': script.valid.length === 1 && script.consumersLogIn,
  });
}

/** A host whose clock is behind does not end the window. */
export async function clockBehind(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  const [first = ''] = script.handedOut;
  // Due by its own clock as well.
  script.pass(3 * hour);
  script.ahead = -3 * hour;
  await script.run();
  script.ahead = 0;
  script.pass(minute);
  await script.run();
  return broken({ 'the window is not over': script.logsIn(first) && script.consumersLogIn });
}

/** The answer of a write counts where a store settles. */
export async function settlingStore(): Promise<readonly string[]> {
  const script = await Script.begin(setupOf('settling', 'alternating', { stores: [{ settlesMs: hour }] }));
  const report = await script.run();
  return broken({
    'the answer of the write counts': (script.calls.get('store one stage') ?? 0) === 1,
    'no defect': report?.error?.code !== 'bug',
  });
}

/** A staged value that vanishes is followed by another. */
export async function pendingVanishes(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  await script.run({}, { before: { 'store one promote': dies } });
  script.bench.vaults['one']?.dropPending(secret);
  const report = await script.runOn();
  return broken({ 'another value follows': report?.outcome === 'done' && script.consumersLogIn });
}

/** A rotation that cannot begin is told, and asks less and less often. */
export async function cannotBegin(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  script.resets('app_a');
  const asked = () => script.calls.get('service accepts') ?? 0;
  for (let hours = 0; hours < 20 * 24; hours += 1) {
    await script.run();
    script.pass(hour);
  }
  return broken({
    'people are told': script.notices.length > 0,
    'and told again': script.notices.length > 1,
    'not every hour': script.notices.length < 15,
    'no login an hour': asked() < 40,
  });
}

/** A replica that lags does not block a single user. */
export async function replicaLags(): Promise<readonly string[]> {
  const script = await Script.begin(setupOf('replica', 'single', { service: { endpoints: ['one', 'two'] } }));
  script.bench.host.lag('two');
  const report = await script.run();
  script.bench.host.catchUp();
  const end = await script.runOn();
  return broken({
    'it is not blocked at once': report?.outcome !== 'blocked',
    'it ends without a person': end?.outcome === 'done' && script.consumersLogIn,
  });
}

/** A store rolled back while draining is followed. */
export async function rolledBack(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  const [first = ''] = script.handedOut;
  await script.run();
  const [second = ''] = script.handedOut;
  script.bench.vaults['one']?.rollBack(secret);
  const report = await script.runOn(({ outcome }) => /^(done|reverted|blocked)$/.test(outcome));
  return broken({
    'the rotation ends as reverted': report?.outcome === 'reverted',
    'what the person went back to is kept': script.handedOut[0] === first && script.consumersLogIn,
    'the new value is ended': !script.valid.includes(second),
  });
}
