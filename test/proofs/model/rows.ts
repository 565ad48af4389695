import { day, hour, minute } from '../../../shared/base/time.ts';
import { dies, fails, Script } from './script.ts';
import { secret } from './setup.ts';
import { setupOf } from './setups.ts';

/** One way in which a rotation once went wrong, told on the real code; what it answers did not hold. */
export interface Row {
  readonly name: string;
  readonly tell: () => Promise<readonly string[]>;
}

const leaked = { leaked: { reason: 'found in a chat' } };

/** What of `promises` is false. */
function broken(promises: Readonly<Record<string, boolean>>): readonly string[] {
  return Object.entries(promises).flatMap(([promise, holds]) => (holds ? [] : [promise]));
}

const alternating = setupOf('alternating', 'alternating');
const twoStores = setupOf('two stores', 'alternating', { stores: [{}, {}] });
const additive = setupOf('additive', 'additive', { service: { fence: 'exact' } });
const fleet = setupOf('fleet', 'alternating', { service: { endpoints: ['one', 'two'], fleet: 'each' } });

const everything = ['read', 'stage', 'promote', 'abandon', 'retire'];

/** Every call of this store fails. */
function without(store: string) {
  return { before: Object.fromEntries(everything.map((method) => [`store ${store} ${method}`, fails])) };
}

async function resetWhileDraining(): Promise<readonly string[]> {
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

async function resetAfterVerified(): Promise<readonly string[]> {
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

async function leakedWithStoreDown(): Promise<readonly string[]> {
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

async function leakedWithSilentEndpoint(): Promise<readonly string[]> {
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

async function secondLeak(): Promise<readonly string[]> {
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

async function journalLostWhileDraining(): Promise<readonly string[]> {
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

async function clockBehind(): Promise<readonly string[]> {
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

async function settlingStore(): Promise<readonly string[]> {
  const script = await Script.begin(setupOf('settling', 'alternating', { stores: [{ settlesMs: hour }] }));
  const report = await script.run();
  return broken({
    'the answer of the write counts': (script.calls.get('store one stage') ?? 0) === 1,
    'no defect': report?.error?.code !== 'bug',
  });
}

async function pendingVanishes(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  await script.run({}, { before: { 'store one promote': dies } });
  script.bench.vaults['one']?.dropPending(secret);
  const report = await script.runOn();
  return broken({ 'another value follows': report?.outcome === 'done' && script.consumersLogIn });
}

async function cannotBegin(): Promise<readonly string[]> {
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

async function replicaLags(): Promise<readonly string[]> {
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

async function rolledBack(): Promise<readonly string[]> {
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

async function garbageInOneStore(): Promise<readonly string[]> {
  const script = await Script.begin(twoStores);
  const [first = ''] = script.handedOut;
  script.writes('two', 'garbage');
  await script.run(leaked);
  await script.run();
  const [one = ''] = script.handedOut;
  return broken({
    'the leaked value is refused': !script.valid.includes(first),
    'the other store goes on': one !== first && script.logsIn(one),
  });
}

async function emergencyWhileDraining(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const at of ['draining', 'verified'] as const) {
    const script = await Script.begin(additive);
    await script.run({}, at === 'verified' ? { before: { 'store one promote': dies } } : {});
    await script.run(leaked);
    await script.runOn();
    found.push(
      ...broken({
        [`one value is valid after an emergency while ${at}`]: script.valid.length === 1 && script.consumersLogIn,
      }),
    );
  }
  return found;
}

async function forgottenValues(): Promise<readonly string[]> {
  const lost = await Script.begin(additive);
  await lost.run({}, { after: { 'service change': dies } });
  lost.bench.vaults['one']?.dropPending(secret);
  await lost.runOn();
  const forgetful = await Script.begin(setupOf('forgetful', 'additive', { stores: [{ keepsPrevious: false }] }));
  await forgetful.runOn();
  const noJournal = await Script.begin(additive);
  await noJournal.run();
  noJournal.losesJournal();
  await noJournal.run({ now: true });
  await noJournal.runOn();
  return broken({
    'after a lost value one is valid': lost.valid.length === 1 && lost.consumersLogIn,
    'without previous versions one is valid': forgetful.valid.length === 1 && forgetful.consumersLogIn,
    'after a lost journal one is valid': noJournal.valid.length === 1 && noJournal.consumersLogIn,
  });
}

async function twoSlots(): Promise<readonly string[]> {
  const script = await Script.begin(setupOf('two values', 'additive', { service: { capacity: 2 } }));
  const [first = ''] = script.handedOut;
  await script.run({}, { after: { 'service change': dies } });
  script.bench.vaults['one']?.dropPending(secret);
  await script.run();
  const isSpared = script.logsIn(first) && script.consumersLogIn;
  await script.runOn();
  return broken({
    'what consumers read stays': isSpared,
    'it ends': script.valid.length === 1 && script.consumersLogIn,
  });
}

async function pausedPromote(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [name, call, stores] of [
    ['conditional', 'store one promote', [{}]],
    ['checked', 'state replace', [{ writes: 'checked' }]],
  ] as const) {
    const script = await Script.begin(setupOf(name, 'alternating', { stores }));
    let isPaused = false;
    const others = async () => {
      if (isPaused || script.journal()?.phase !== 'verified') return;
      isPaused = true;
      for (let rotations = 0; rotations < 2; rotations += 1) {
        await script.runOn(({ outcome }) => outcome === 'done');
        script.pass(30 * day);
      }
      await script.runOn(({ outcome }) => outcome === 'done');
    };
    await script.run({}, { before: { [call]: others } });
    found.push(...broken({ [`${name}: it paused`]: isPaused, [`${name}: consumers log in`]: script.consumersLogIn }));
  }
  return found;
}

async function stateFailsInConflict(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  let gets = 0;
  let isOther = false;
  const report = await script.run(
    {},
    {
      before: {
        'store one stage': async () => {
          if (isOther) return;
          isOther = true;
          await script.run({ now: true });
        },
        'state get': () => {
          gets += 1;
          if (isOther && gets > 1) fails();
        },
      },
    },
  );
  return broken({ 'it is told, not thrown': report !== undefined && report.outcome !== 'done' });
}

async function changedByHandAfterPublishing(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  await script.run({}, { after: { 'store one promote': dies } });
  script.writes('one', `app_b ${script.resets('app_b')}`);
  await script.run();
  const isIn = script.consumersLogIn;
  await script.runOn();
  return broken({ 'what a person put in both places works on': isIn && script.consumersLogIn });
}

async function restoredBeforeTheOldCopyEnds(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  const earlier = script.bench.host.state;
  const [first = ''] = script.handedOut;
  await script.run();
  script.pass(2 * hour);
  await script.run({}, { before: { 'store one retire': dies } });
  script.bench.host.putBack('one', earlier);
  script.pass(minute);
  const report = await script.runOn();
  const isKept = script.bench.vaults['one']?.live(secret).earlier.some(({ text }) => text === first) ?? false;
  return broken({
    'it logs in again, or the last value that does is kept and people are told':
      script.consumersLogIn || (isKept && report?.outcome === 'blocked' && script.notices.length > 0),
  });
}

async function lostPromotionOfSettlingStore(): Promise<readonly string[]> {
  const stores = [{ settlesMs: hour, ids: 'renewed' }] as const;
  const script = await Script.begin(setupOf('renewed', 'alternating', { stores }));
  await script.run({}, { after: { 'store one promote': dies } });
  script.pass(minute);
  await script.run();
  const isIn = script.consumersLogIn;
  const report = await script.runOn();
  return broken({
    'what was published works on': isIn,
    'it ends': report?.outcome === 'done' && script.consumersLogIn,
  });
}

async function rolledBackAfterLostPromotion(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  await script.run({}, { after: { 'store one promote': dies } });
  const [second = ''] = script.handedOut;
  script.bench.vaults['one']?.rollBack(secret);
  script.pass(minute);
  await script.run();
  const isSpared = script.logsIn(second);
  await script.runOn();
  return broken({
    'what was handed out for a moment lives through the window': isSpared,
    'it ends with consumers who log in': script.consumersLogIn && script.valid.length === 1,
  });
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
