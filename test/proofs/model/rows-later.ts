import { day, hour, minute } from '../../../shared/base/time.ts';
import { leaked, broken, alternating, twoStores, additive } from './row-parts.ts';
import { dies, fails, Script } from './script.ts';
import { secret } from './setup.ts';
import { setupOf } from './setups.ts';

/** Garbage in one store does not stop an emergency. */
export async function garbageInOneStore(): Promise<readonly string[]> {
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

/** An emergency in the middle of a rotation leaves one value. */
export async function emergencyWhileDraining(): Promise<readonly string[]> {
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

/** Values that were forgotten are ended. */
export async function forgottenValues(): Promise<readonly string[]> {
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

/** A slot of two keeps what consumers read. */
export async function twoSlots(): Promise<readonly string[]> {
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

/** A promotion that paused for two rotations locks nobody out. */
export async function pausedPromote(): Promise<readonly string[]> {
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

/** A promotion that pauses in front of its write keeps the service's lock, so nobody goes past it. */
export async function pausedInTheLock(): Promise<readonly string[]> {
  const service = { lockWaits: false };
  const script = await Script.begin(setupOf('locked', 'alternating', { stores: [{ writes: 'checked' }], service }));
  let isPaused = false;
  const others = async () => {
    if (isPaused) return;
    isPaused = true;
    for (let runs = 0; runs < 12; runs += 1) {
      await script.run({ now: true });
      script.pass(12 * hour);
    }
  };
  // Between what the driver reads and what it writes.
  script.bench.between = async () => (script.journal()?.phase === 'verified' ? await others() : undefined);
  await script.run();
  script.bench.between = undefined;
  return broken({ 'it paused': isPaused, 'consumers log in': script.consumersLogIn });
}

/** A state store that fails while a conflict is looked into is told. */
export async function stateFailsInConflict(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const call of ['store one stage', 'state replace']) {
    const script = await Script.begin(alternating);
    let isOther = false;
    const other = async () => {
      if (isOther) return;
      isOther = true;
      await script.run({ now: true });
    };
    const report = await script.run({}, { before: { [call]: other, 'state get': () => void (isOther && fails()) } });
    found.push(...broken({ [`${call}: told, not thrown`]: report !== undefined && report.outcome !== 'done' }));
  }
  return found;
}

/** A change by hand in both places after a publication is not overwritten. */
export async function changedByHandAfterPublishing(): Promise<readonly string[]> {
  const script = await Script.begin(alternating);
  await script.run({}, { after: { 'store one promote': dies } });
  script.writes('one', `app_b ${script.resets('app_b')}`);
  await script.run();
  const isIn = script.consumersLogIn;
  await script.runOn();
  return broken({ 'what a person put in both places works on': isIn && script.consumersLogIn });
}

/** An old copy ends only for a value that logs in. */
export async function restoredBeforeTheOldCopyEnds(): Promise<readonly string[]> {
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

/** A promotion whose answer is lost in a store that settles is not taken for a loss. */
export async function lostPromotionOfSettlingStore(): Promise<readonly string[]> {
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

/** A value that was handed out for a moment drains. */
export async function rolledBackAfterLostPromotion(): Promise<readonly string[]> {
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
