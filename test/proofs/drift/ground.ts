import { LockkeeperError } from '../../../shared/base/error.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import { day, minute } from '../../../shared/base/time.ts';
import { adopt } from '../../../shared/rotation/adopt.ts';
import { checkDrift, type DriftReport } from '../../../shared/rotation/drift/check.ts';
import { importLogin } from '../../../shared/rotation/import.ts';
import { encodeJournal } from '../../../shared/rotation/journal/journal-format.ts';
import type { Journal } from '../../../shared/rotation/journal/journal.ts';
import type { RotationDeps } from '../../../shared/rotation/plan.ts';
import { rotate } from '../../../shared/rotation/run.ts';
import type { MemoryVaultOptions } from '../../../shared/secrets/memory.ts';
import type { Login, Strategy } from '../../../shared/services/contract.ts';
import { makePlace, type Place } from '../../rotation/place.ts';

/** What was done with the credential before anything differs. */
export type Before = 'adopted' | 'rested' | 'draining';

/** Everything about a case but what differs. */
export interface Setting {
  readonly strategy: Strategy;
  readonly vault: MemoryVaultOptions;
  readonly before: Before;
}

const vaults: readonly MemoryVaultOptions[] = [
  {},
  { writes: 'checked' },
  { ids: 'renewed' },
  { settlesMs: 5 * minute },
  { keepsPrevious: false },
];

/** Every strategy, kind of store and beginning. */
export const settings: readonly Setting[] = (['alternating', 'additive', 'replacing', 'single'] as const).flatMap(
  (strategy) =>
    vaults.flatMap((vault) =>
      (['rested', 'adopted', 'draining'] as const)
        // A single user's rotation has nothing to drain.
        .filter((before) => before !== 'draining' || strategy !== 'single')
        .map((before) => ({ strategy, vault, before })),
    ),
);

/** One credential on two endpoints and in two stores, and what happens to it. */
export interface Ground {
  readonly setting: Setting;
  readonly place: Place;
  /** What consumers read before anything differs. */
  readonly login: Login;
  /** The login before it and its version in store one. */
  readonly ended: { readonly login: Login; readonly id: string; readonly text: string };
  /** The journal's bytes at an earlier time. */
  readonly earlier: Uint8Array | undefined;
  /** What is between the check and the world. */
  readonly around: ((deps: RotationDeps) => RotationDeps)[];
  deps(): RotationDeps;
  check(): Promise<DriftReport>;
}

export const endpoints = ['a:1', 'b:1'] as const;

/** A credential of which nothing differs, checked once. */
export async function makeGround(setting: Setting): Promise<Ground> {
  const place = await makePlace({
    strategy: setting.strategy,
    vault: setting.vault,
    endpoints,
    host: { encrypted: true },
    plan: { triesEndedValues: true },
  });
  const around: Ground['around'] = [];
  const deps = (): RotationDeps => around.reduce((all, change) => change(all), place.deps());
  const { current } = place.vaults['one']?.shelves.get('app-db') ?? {};
  const ended = { login: place.consumer('one'), id: current?.id ?? '', text: current?.text ?? '' };
  await adopt(place.deps());
  const earlier = bytesOf(place);
  if (setting.before === 'rested') await untilDone(place, place.deps());
  if (setting.before === 'draining') await rotate(place.deps(), { now: true });
  // Stores settle, and whatever is near in time is no doubt any more.
  place.world.pass(setting.before === 'draining' ? 70 * minute : day);
  const ground = { setting, place, login: place.consumer('one'), ended, earlier, around, deps };
  const whole: Ground = { ...ground, check: () => checkDrift(deps()) };
  const first = await whole.check();
  if (first.outcome !== 'agrees') throw new Error(`not quiet: ${JSON.stringify({ setting, first })}`);
  return whole;
}

/** Runs as a schedule would, until the rotation is done; throws where a person would have to come. */
export async function untilDone(place: Place, deps: RotationDeps): Promise<void> {
  let report = await rotate(deps, { now: true });
  for (let runs = 0; runs < 20 && report.outcome !== 'done' && report.outcome !== 'reverted'; runs += 1) {
    place.world.pass(Math.max((report.until ?? 0) - place.world.now(), 30 * minute));
    // Twice: a person who was told why it is blocked insists.
    report = await rotate(deps, { now: report.outcome === 'blocked' });
  }
  if (report.outcome !== 'done' && report.outcome !== 'reverted') throw new Error(`${report.outcome}: ${report.text}`);
}

/** Does what a finding says where that is a command, as a person would type it. */
export async function follow(ground: Ground, todo: string): Promise<void> {
  const { place, login } = ground;
  const [, command = ''] = /lockkeeper ((?:rotate|secret import|drift) app-db[^:.,]*)/.exec(todo) ?? [];
  switch (command.trim()) {
    case 'rotate app-db --now':
      return await untilDone(place, ground.deps());
    case 'rotate app-db':
      return await untilDone(place, ground.deps());
    case 'rotate app-db --adopt':
      if (!(await adopt(ground.deps())).adopted) throw new Error('not adopted');
      return;
    case 'secret import app-db --user USER':
      await importLogin(ground.deps(), login);
      return;
    default:
      throw new Error(`no command in: ${todo}`);
  }
}

const key = 'rotations/app-db.json';

export function bytesOf({ bucket }: Place): Uint8Array | undefined {
  return bucket.objects.get(key)?.bytes;
}

/** Somebody writes the journal past lockkeeper; undefined: deletes it. */
export function putJournal({ bucket }: Place, bytes: Uint8Array | undefined): void {
  if (bytes) bucket.objects.set(key, { bytes, version: bucket.nextVersion() });
  else bucket.objects.delete(key);
}

/** Somebody edits the journal. */
export function editJournal(place: Place, change: (journal: Journal) => Journal): void {
  const journal = place.journal();
  if (!journal) throw new Error('no journal to edit');
  putJournal(place, encodeJournal(change(journal)));
}

/** Somebody writes a text into a store, seen at once. */
export function putText({ place }: Ground, store: 'one' | 'two', text: string): void {
  const vault = place.vaults[store];
  const secret = store === 'one' ? 'app-db' : 'app/db';
  vault?.setByHand(secret, text);
  vault?.settle(secret);
}

/** A login as the stores hold one. */
export function textOf(login: Login): string {
  return JSON.stringify({ username: login.slot, password: login.value.open() });
}

export function loginOf(slot: string, value: string): Login {
  return { slot, value: new Sealed(value) };
}

export function refused(what: string): LockkeeperError {
  return new LockkeeperError('denied', what, { hint: 'Grant it.' });
}
