import { describe, expect, test } from '@jest/globals';
import { canonicalJson, sha256, type Plain } from '../../shared/base/canonical.ts';
import { LockkeeperError, type ErrorCode } from '../../shared/base/error.ts';
import type { Firewall, FirewallState, Opening } from '../../shared/firewalls/contract.ts';

/** What a driver's test hands to the suite. */
export interface FirewallHarness {
  readonly name: string;
  /** False: the driver only reads, and every writing method must say `unsupported`. */
  readonly writes: boolean;
  /** A place of its own for one test. */
  fresh(): Promise<FirewallPlace>;
}

/** One firewall with at least three openings, no two of which admit the same packet. */
export interface FirewallPlace {
  /** Two handles on the same place, as two processes have them. */
  readonly firewall: Firewall;
  readonly second: Firewall;
  /** Ids of the openings, in any order. */
  readonly openings: readonly string[];
  /** Sends a packet that only this opening admits: did it come through? Must not ask the driver. */
  admits(opening: string): Promise<boolean>;
  /** Every rule as the place itself holds it, by id, every field included. Must not ask the driver. */
  rules(): Promise<ReadonlyMap<string, Plain>>;
  /** A person edits an opening without changing whom it lets in: its description, say. */
  edit(opening: string): Promise<void>;
  /** A person makes a rule of the same id again after it was closed, and not as it was. */
  recreate(opening: string): Promise<void>;
  end(): Promise<void>;
}

/** Every promise of the Firewall contract as a test. */
export function firewallConformance(harness: FirewallHarness): void {
  describe(`${harness.name} keeps the Firewall contract`, () => {
    reading(harness);
    if (harness.writes) {
      closing(harness);
      reopening(harness);
    } else {
      readOnly(harness);
    }
  });
}

function reading(harness: FirewallHarness): void {
  test('openings tells every opening with the fingerprint of its rule', () =>
    within(harness, async ({ firewall, openings }) => {
      const state = await firewall.openings();
      expect(state.openings.map(({ id }) => id)).toEqual(expect.arrayContaining([...openings]));
      for (const opening of state.openings) {
        expect(opening.fingerprint).toBe(sha256(canonicalJson(opening.rule)));
        const known = new Set(state.interfaces.map(({ id }) => id));
        expect(opening.targets.filter((target) => !known.has(target))).toEqual([]);
      }
    }));

  test('reading twice, and from another process, tells the same', () =>
    within(harness, async ({ firewall, second }) => {
      const state = await firewall.openings();
      expect(await second.openings()).toEqual(state);
    }));

  test('any edit by a person changes the fingerprint, of that opening only', () =>
    within(harness, async (place) => {
      const { firewall, openings } = place;
      const [first = '', ...others] = openings;
      const before = await firewall.openings();
      await place.edit(first);
      const now = await firewall.openings();
      expect(find(now, first).fingerprint).not.toBe(find(before, first).fingerprint);
      for (const other of others) expect(find(now, other)).toEqual(find(before, other));
    }));
}

function closing(harness: FirewallHarness): void {
  test('prepare says exactly what is there, and changes nothing', () =>
    within(harness, async (place) => {
      const [first = ''] = place.openings;
      const rules = await place.rules();
      const prepared = await place.firewall.prepare({ kind: 'close', opening: first });
      const opening = find(await place.firewall.openings(), first);
      expect(prepared.before).toEqual(opening.rule);
      expect(prepared.fingerprint).toBe(opening.fingerprint);
      expect(prepared.change).toEqual({ kind: 'close', opening: first });
      expect(await place.rules()).toEqual(rules);
    }));

  test('preparing the closing of what is not there is not-found', () =>
    within(harness, async ({ firewall }) => {
      expect(await codeOf(firewall.prepare({ kind: 'close', opening: 'no-such-opening' }))).toBe('not-found');
    }));

  test('apply stops the packets of that opening and alters no other', () =>
    within(harness, async (place) => {
      const [first = '', ...others] = place.openings;
      expect(await place.admits(first)).toBe(true);
      const rules = new Map(await place.rules());
      await place.firewall.apply(await place.firewall.prepare({ kind: 'close', opening: first }));
      expect(await place.admits(first)).toBe(false);
      for (const other of others) expect(await place.admits(other)).toBe(true);
      const left = new Map(await place.rules());
      for (const other of others) expect(left.get(other)).toEqual(rules.get(other));
    }));

  test('what prepare said outlives the process: apply works from stored text and another handle, and may be repeated', () =>
    within(harness, async (place) => {
      const [first = ''] = place.openings;
      const prepared = await place.firewall.prepare({ kind: 'close', opening: first });
      const stored = structuredClone(prepared);
      await place.second.apply(stored);
      const once = await place.rules();
      await place.firewall.apply(stored);
      expect(await place.rules()).toEqual(once);
      expect(await place.admits(first)).toBe(false);
    }));

  test('a person’s edit after prepare makes apply a conflict that changes nothing', () =>
    within(harness, async (place) => {
      const [first = ''] = place.openings;
      const prepared = await place.firewall.prepare({ kind: 'close', opening: first });
      await place.edit(first);
      const rules = await place.rules();
      expect(await codeOf(place.firewall.apply(prepared))).toBe('conflict');
      expect(await place.rules()).toEqual(rules);
      expect(await place.admits(first)).toBe(true);
    }));
}

function reopening(harness: FirewallHarness): void {
  test('restore puts back exactly what was, every field, for packets too', () =>
    within(harness, async (place) => {
      for (const opening of place.openings) {
        const rules = await place.rules();
        const state = await place.firewall.openings();
        const prepared = await place.firewall.prepare({ kind: 'close', opening });
        await place.firewall.apply(prepared);
        await place.second.restore(prepared);
        expect(await place.admits(opening)).toBe(true);
        expect(new Map(await place.rules())).toEqual(new Map(rules));
        expect(find(await place.firewall.openings(), opening)).toEqual(find(state, opening));
      }
    }));

  test('restore may be repeated, and without a closing before it changes nothing', () =>
    within(harness, async (place) => {
      const [first = ''] = place.openings;
      const rules = await place.rules();
      const prepared = await place.firewall.prepare({ kind: 'close', opening: first });
      await place.firewall.restore(prepared);
      expect(await place.rules()).toEqual(rules);
      await place.firewall.apply(prepared);
      await place.firewall.restore(prepared);
      await place.second.restore(prepared);
      expect(new Map(await place.rules())).toEqual(new Map(rules));
    }));

  test('restore over a rule that a person made meanwhile is a conflict that changes nothing', () =>
    within(harness, async (place) => {
      const [first = ''] = place.openings;
      const prepared = await place.firewall.prepare({ kind: 'close', opening: first });
      await place.firewall.apply(prepared);
      await place.recreate(first);
      const rules = await place.rules();
      expect(await codeOf(place.firewall.restore(prepared))).toBe('conflict');
      expect(await place.rules()).toEqual(rules);
    }));

  test('restoring one opening leaves another closed', () =>
    within(harness, async (place) => {
      const [first = '', other = ''] = place.openings;
      const prepared = await place.firewall.prepare({ kind: 'close', opening: first });
      const preparedOther = await place.firewall.prepare({ kind: 'close', opening: other });
      await place.firewall.apply(prepared);
      await place.firewall.apply(preparedOther);
      await place.firewall.restore(prepared);
      expect([await place.admits(first), await place.admits(other)]).toEqual([true, false]);
    }));
}

function readOnly(harness: FirewallHarness): void {
  test('prepare says that this driver only reads', () =>
    within(harness, async ({ firewall, openings }) => {
      const [first = ''] = openings;
      expect(await codeOf(firewall.prepare({ kind: 'close', opening: first }))).toBe('unsupported');
    }));

  test('apply and restore say that this driver only reads, and change nothing', () =>
    within(harness, async (place) => {
      const [first = ''] = place.openings;
      const rules = await place.rules();
      const { rule, fingerprint } = find(await place.firewall.openings(), first);
      const change = { kind: 'close', opening: first } as const;
      const made = {
        firewall: 'x',
        change,
        before: rule,
        after: undefined,
        fingerprint,
        rejectsVisible: true,
        openConnectionsLastMs: 0,
      };
      expect(await codeOf(place.firewall.apply(made))).toBe('unsupported');
      expect(await codeOf(place.firewall.restore(made))).toBe('unsupported');
      expect(await place.rules()).toEqual(rules);
    }));
}

async function within(harness: FirewallHarness, check: (place: FirewallPlace) => Promise<void>): Promise<void> {
  const place = await harness.fresh();
  try {
    expect(place.openings.length).toBeGreaterThanOrEqual(3);
    await check(place);
  } finally {
    await place.end();
  }
}

function find(state: FirewallState, id: string): Opening {
  const opening = state.openings.find((one) => one.id === id);
  if (!opening) throw new Error(`opening ${id} is missing`);
  return opening;
}

async function codeOf(attempt: Promise<unknown>): Promise<ErrorCode | 'no error'> {
  try {
    await attempt;
    return 'no error';
  } catch (error) {
    if (error instanceof LockkeeperError) return error.code;
    throw error;
  }
}
