import { describe, expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import { plainAbilities, type SecretPlace, type SecretStoreAbilities } from '../conformance/secret-store-place.ts';
import { openFilePlace } from './file-place.ts';
import { History, type Step } from './history.ts';
import { kindName, kinds, openVaultPlace, secret, type VaultPlace } from './memory-place.ts';

/** A step before it is known which values there are: `pick` chooses among them, and 0 is the right one. */
interface Draft {
  readonly does: Step['does'];
  readonly rotation: number;
  readonly pick: number;
  readonly from: number;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  does: fc.constantFrom('stage', 'stage', 'promote', 'promote', 'promote', 'abandon', 'retire', 'byHand', 'rollBack'),
  rotation: fc.nat(5),
  pick: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(9)),
  from: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(9)),
});
const draftsOf = (length: number) => fc.array(fc.array(draft, { minLength: 1, maxLength: 2 }), { maxLength: length });

describe('whatever two writers and a person do, a secret is what the contract makes of it:', () => {
  test.each(kinds.map((kind) => [kindName(kind), kind] as const))('%s', async (_, kind) => {
    const property = fc.asyncProperty(draftsOf(18), async (drafts) => follow(vaultGround(kind), kind, drafts));
    await expect(fc.assert(property, { numRuns: 40 })).resolves.toBeUndefined();
  });

  test('local-file', async () => {
    const property = fc.asyncProperty(draftsOf(12), async (drafts) => {
      const place = await openFilePlace();
      try {
        await follow(place, plainAbilities, drafts);
      } finally {
        await place.close();
      }
    });
    await expect(fc.assert(property, { numRuns: 6 })).resolves.toBeUndefined();
  });
});

describe('a store with checked writes, whoever comes between reading and writing:', () => {
  const race = fc.tuple(
    fc.array(fc.nat(3), { minLength: 2, maxLength: 8 }),
    fc.array(fc.nat(6), { minLength: 20, maxLength: 60 }),
  );

  test('publishes under a name only what was staged under it, and loses nothing that was published', async () => {
    let races = 0;
    await fc.assert(
      fc.asyncProperty(race, async ([rotations, pauses]) => {
        let calls = 0;
        const between = async () => {
          calls += 1;
          for (let turn = pauses[calls % pauses.length] ?? 0; turn > 0; turn -= 1) await Promise.resolve();
        };
        const place = openVaultPlace({ writes: 'checked', between, ids: 'renewed' });
        const published = await Promise.all([0, 1].map(async (writer) => racing(place, rotations, writer)));
        const { current, earlier } = place.vault.live(secret);
        const kept = new Set([...(current ? [current] : []), ...earlier].map(({ text }) => text));
        for (const text of published.flat()) expect(kept).toContain(text);
        if (new Set(place.vault.live(secret).promoted).size < kept.size) races += 1;
      }),
      { numRuns: 200 },
    );
    expect(races).toBeGreaterThan(0);
  });
});

/** Stages and promotes by what each call answered, as a rotator does; answers the values it published. */
async function racing(place: VaultPlace, rotations: readonly number[], writer: number): Promise<readonly string[]> {
  const store = writer === 0 ? place.first : place.second;
  const texts: string[] = [];
  for (const [at, number] of rotations.entries()) {
    const rotation = `r-${number}`;
    const { current } = await store.read(secret);
    const staged = await orCode(store.stage(secret, rotation, new Sealed(`${writer}-${at}`)));
    if (typeof staged === 'string') continue;
    const published = await orCode(store.promote(secret, { rotation, id: staged.id }, current?.id));
    if (typeof published === 'string') {
      await store.abandon(secret, rotation);
    } else {
      texts.push(published.value.equals(staged.value) ? staged.value.open() : 'another value');
    }
  }
  return texts;
}

/** A place, and what a person answers who rolls back, where the version brought back keeps its id. */
interface Ground extends SecretPlace {
  readonly rollBack?: () => Promise<string>;
}

function vaultGround(kind: SecretStoreAbilities): Ground {
  const place = openVaultPlace(kind);
  if (kind.ids === 'renewed') return place;
  return { ...place, rollBack: async () => ((await orCode(backIn(place))) === 'conflict' ? 'conflict' : 'done') };
}

async function backIn({ vault }: VaultPlace): Promise<void> {
  vault.rollBack(secret);
}

/** Carries the drafts out, two at once where there are two, and compares with the history after each. */
async function follow(
  place: Ground,
  { writes, keepsPrevious }: SecretStoreAbilities,
  drafts: readonly (readonly Draft[])[],
): Promise<void> {
  const known = new Known(place);
  let history = new History(keepsPrevious);
  const possible = drafts.map((together) => together.filter(({ does }) => does !== 'rollBack' || place.rollBack));
  for (const together of writes === 'checked' ? possible.flat().map((one) => [one]) : possible) {
    const steps = together.map((one, index) => known.step(one, history, index));
    const isAlone = steps.length === 1 || steps.some(({ does }) => does === 'byHand' || does === 'rollBack');
    const rounds = isAlone ? steps.map((step) => [step]) : [steps];
    for (const round of rounds) {
      const answers = await Promise.all(
        round.map(async (step, index) => known.carryOut(index === 0 ? place.first : place.second, step)),
      );
      const held = await known.held();
      await place.settle();
      const seen = await known.seen();
      history = fitting(history, round, { answers, held, seen });
    }
  }
}

/** The history in whose order the steps could have come; fails where there is none. */
function fitting(before: History, round: readonly Step[], came: object): History {
  const orders = round.length === 1 ? [round] : [round, round.toReversed()];
  const candidates = orders.map((order) => {
    const answers = new Map<Step, string>();
    let history = before;
    for (const step of order) {
      const after = history.after(step);
      answers.set(step, after.answer);
      history = after.history;
    }
    return {
      history,
      would: { answers: round.map((step) => answers.get(step)), held: history.readable, seen: history.seen },
    };
  });
  const text = JSON.stringify(came);
  const fits = candidates.find(({ would }) => JSON.stringify(would) === text);
  if (!fits) expect(came).toEqual(candidates[0]?.would);
  return fits?.history ?? before;
}

/** The ids behind the values that were seen so far. */
class Known {
  readonly #place: Ground;
  readonly #staged = new Map<string, string>();
  readonly #published = new Map<string, string>();
  #texts = 0;

  constructor(place: Ground) {
    this.#place = place;
  }

  /** A step on values that are there now, or were once. */
  step({ does, rotation: number, pick, from }: Draft, history: History, index: number): Step {
    const { pending, current, earlier } = history;
    const rotation = does !== 'stage' && pick === 0 && pending ? pending.rotation : `r-${number}`;
    const texts = [...this.#staged.keys(), ...this.#published.keys(), 'never'];
    const picked = (at: number, right: string | undefined) => (at === 0 ? right : texts[at % texts.length]);
    switch (does) {
      case 'rollBack':
        return { does };
      case 'stage':
      case 'byHand':
        return { does, rotation, text: `t${(this.#texts += 1)}-${index}` };
      case 'promote':
        return { does, rotation, text: picked(pick, pending?.text) ?? 'never', from: picked(from, current?.text) };
      case 'abandon':
        return { does, rotation };
      case 'retire':
        return { does, text: picked(pick, earlier.at(-1)) ?? 'never' };
    }
  }

  /** What the store answers: a value, `done` or the code of its error. */
  async carryOut(store: SecretStore, step: Step): Promise<string> {
    const name = this.#place.secret;
    switch (step.does) {
      case 'stage': {
        const version = await orCode(store.stage(name, step.rotation, new Sealed(step.text)));
        if (typeof version === 'string') return version;
        this.#staged.set(version.value.open(), version.id);
        return version.value.open();
      }
      case 'promote': {
        const staged = { rotation: step.rotation, id: this.#staged.get(step.text) ?? 'never' };
        const version = await orCode(store.promote(name, staged, step.from && this.#idOf(step.from)));
        if (typeof version === 'string') return version;
        this.#published.set(version.value.open(), version.id);
        return version.value.open();
      }
      case 'abandon':
        return (await orCode(store.abandon(name, step.rotation))) ?? 'done';
      case 'retire':
        return (await orCode(store.retire(name, this.#idOf(step.text)))) ?? 'done';
      case 'byHand':
        await this.#place.byHand(step.text);
        await this.#place.settle();
        await this.seen();
        return 'done';
      case 'rollBack':
        return await (this.#place.rollBack?.() ?? 'unsupported');
    }
  }

  /** The values that can be read by id now, before anything has settled. */
  async held(): Promise<readonly string[]> {
    const ids = [...this.#staged.values(), ...this.#published.values()];
    const { asked } = await this.#place.second.read(this.#place.secret, ids);
    return asked.map(({ value }) => value.open()).toSorted();
  }

  /** What a reader sees; it tells the id of a version that a person wrote. */
  async seen(): Promise<unknown> {
    const { current, previous, pending } = await this.#place.first.read(this.#place.secret);
    if (current) this.#published.set(current.value.open(), current.id);
    return {
      current: current?.value.open(),
      previous: previous?.value.open(),
      pending: pending && { text: pending.value.open(), rotation: pending.rotation },
    };
  }

  #idOf(text: string): string {
    return this.#published.get(text) ?? this.#staged.get(text) ?? text;
  }
}

async function orCode<T>(call: Promise<T>): Promise<T | string> {
  try {
    return await call;
  } catch (thrown) {
    if (thrown instanceof LockkeeperError) return thrown.code;
    throw thrown;
  }
}
