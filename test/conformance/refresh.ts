import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Refresh, RefreshNews } from '../../shared/refreshes/contract.ts';
import type { PlantedSecret } from '../planted-secret.ts';

/**
 * `well`: it takes messages. `refuses`: it answers that it does not. `silent`: it takes the message and says nothing.
 * `loses`: it takes the message, and its answer is lost.
 */
export type Manner = 'well' | 'refuses' | 'silent' | 'loses';

/** A fresh receiver and two handles that tell it, as two processes would hold them. */
export interface RefreshHarness {
  readonly one: Refresh;
  readonly two: Refresh;
  /** A handle that waits no longer than half a second. */
  readonly hasty: Refresh;
  /** A handle that would wait for minutes, in a run that ends in so many milliseconds. */
  ending(inMs: number): Refresh;
  /** What the receiver took, in order, seen without the driver. */
  observe(): Promise<readonly Pick<RefreshNews, 'credential' | 'rotation'>[]>;
  /** How the receiver behaves from now on. */
  behave(manner: Manner): Promise<void>;
  /** A secret that the driver logs in or signs with, where it has one, and that is in what it must not read. */
  readonly planted: PlantedSecret;
  /** Everything that reached the receiver. */
  sent(): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** The refresh contract, line by line; every driver passes it. */
export function refreshSuite(name: string, fresh: () => Promise<RefreshHarness>): void {
  describe(`${name} keeps the refresh contract:`, () => {
    let harness: RefreshHarness;
    beforeEach(async () => {
      harness = await fresh();
    });
    afterEach(async () => {
      await harness.close();
    });

    test('the receiver sees which credential changed, and by which rotation', async () => {
      await harness.one.poke(news('db', 'r-1'));
      await harness.two.poke(news('queue', 'r-2'));
      expect(await harness.observe()).toEqual([told('db', 'r-1'), told('queue', 'r-2')]);
    });

    test('it may be repeated by anybody: the receiver sees the same again', async () => {
      for (const handle of [harness.one, harness.one, harness.two]) await handle.poke(news('db', 'r-1'));
      expect(await harness.observe()).toEqual([told('db', 'r-1'), told('db', 'r-1'), told('db', 'r-1')]);
    });

    test('many at once all arrive', async () => {
      const rotations = Array.from({ length: 6 }, (_, at) => `r-${at}`);
      await Promise.all(rotations.map((id, at) => (at % 2 === 0 ? harness.one : harness.two).poke(news('db', id))));
      const seen = (await harness.observe()).map(({ rotation }) => rotation);
      expect(seen.toSorted()).toEqual(rotations);
    });

    test.each(['a.b', 'a b', '"; rm -rf / #', '$(id)', 'ä€😀', 'line\nline', '%41', '=', 'x'.repeat(500)])(
      'the names arrive as they are: %j',
      async (odd) => {
        await harness.one.poke(news(odd, `r-${odd}`));
        expect(await harness.observe()).toEqual([told(odd, `r-${odd}`)]);
      },
    );

    test('a receiver that refuses is an error that a person looks at, until it takes messages', async () => {
      await harness.behave('refuses');
      for (const handle of [harness.one, harness.two, harness.one])
        expect(['rejected', 'denied']).toContain(await codeOf(handle.poke(news('db', 'r-1'))));
      await harness.behave('well');
      await harness.one.poke(news('db', 'r-1'));
      expect(await harness.observe()).toEqual([told('db', 'r-1')]);
    });

    test('a receiver that says nothing is unreachable, soon, and is told again', async () => {
      await harness.behave('silent');
      const since = Date.now();
      expect(await codeOf(harness.hasty.poke(news('db', 'r-1')))).toBe('unreachable');
      expect(Date.now() - since).toBeLessThan(5_000);
      await harness.behave('well');
      await harness.two.poke(news('db', 'r-1'));
      expect((await harness.observe()).at(-1)).toEqual(told('db', 'r-1'));
    });

    test('a lost answer is uncertain, and telling again is acknowledged', async () => {
      await harness.behave('loses');
      expect(await codeOf(harness.one.poke(news('db', 'r-1')))).toBe('uncertain');
      await harness.behave('well');
      await harness.one.poke(news('db', 'r-1'));
      expect(await harness.observe()).toEqual([told('db', 'r-1'), told('db', 'r-1')]);
    });

    test('it waits no longer than the run lasts', async () => {
      await harness.behave('silent');
      const since = Date.now();
      expect(await codeOf(harness.ending(150).poke(news('db', 'r-1')))).toBe('unreachable');
      expect(Date.now() - since).toBeLessThan(5_000);
    });

    test('a run that is over sends nothing', async () => {
      expect(await codeOf(harness.ending(0).poke(news('db', 'r-1')))).toBe('unreachable');
      expect(await harness.observe()).toEqual([]);
    });

    test('no secret is in anything that is sent or thrown, and the value that was published is not sent', async () => {
      const { planted } = harness;
      const more = { ...news('db', 'r-1'), value: planted.bare(), login: { value: planted.bare() } };
      for (const manner of ['well', 'refuses', 'loses', 'silent'] as const) {
        await harness.behave(manner);
        const handle = manner === 'silent' ? harness.hasty : harness.one;
        planted.search(`thrown: ${manner}`, await handle.poke(more).catch((thrown: unknown) => thrown));
      }
      const sent = await harness.sent();
      expect(sent.length).toBeGreaterThan(0);
      for (const [at, one] of sent.entries()) planted.search(`sent: ${at}`, one);
      planted.expectNowhere();
    });
  });
}

/** News of a rotation that published two copies. */
export function news(credential: string, rotation: string): RefreshNews {
  const secrets = [
    { store: 'aws', secret: 'prod/db' },
    { store: 'local', secret: 'db' },
  ];
  return { credential, rotation, secrets };
}

function told(credential: string, rotation: string): unknown {
  return expect.objectContaining({ credential, rotation });
}

async function codeOf(work: Promise<void>): Promise<unknown> {
  const thrown = await work.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );
  expect(thrown).toMatchObject({ name: 'LockkeeperError', hint: expect.any(String) });
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : thrown;
}
