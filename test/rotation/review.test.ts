import { describe, expect, test } from '@jest/globals';
import { reviewListVerb, reviewSignVerb, type ReviewVerbDeps, type SignOptions } from '../../functions/cli/review.ts';
import type { Terminal } from '../../functions/cli/io.ts';
import { canonicalJson, type Plain } from '../../shared/base/canonical.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { instant, minute, type Instant } from '../../shared/base/time.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { signReview } from '../../shared/rotation/reviews/review-signing.ts';
import { rotate } from '../../shared/rotation/run.ts';
import { makePlace, type Place } from './place.ts';

interface Reviewing {
  readonly place: Place;
  readonly rotation: string;
  readonly deps: ReviewVerbDeps;
  readonly sign: (who: string, options?: SignOptions) => Promise<{ code: number; out: string; err: string }>;
  readonly list: (options?: { readonly all?: boolean }) => Promise<{ code: number; out: string; err: string }>;
  readonly signed: () => Promise<readonly string[]>;
}

const approvers = ['ada', 'ben', 'cyd', 'ann'];

/** An emergency that was carried out, ordered by these one after the other. */
async function reviewing(orderedBy: readonly string[] = ['ann']): Promise<Reviewing> {
  const place = await makePlace();
  const deps = place.deps();
  const times: Instant[] = [];
  const audit: typeof deps.audit = {
    async record(event) {
      times[place.log.events.length] = place.world.now();
      return await deps.audit.record(event);
    },
  };
  const last = orderedBy.length - 1;
  for (const [n, actor] of orderedBy.entries()) {
    if (n < last) place.host.isUp = false;
    else place.host.isUp = true;
    await rotate({ ...deps, audit, actor }, { leaked: { reason: `seen by ${actor}` } });
  }
  const rotation = place.journal()?.rotation ?? '';
  const entries = () => place.log.events.map((event, n) => ({ event, at: times[n] ?? instant(0) }));
  const ours: ReviewVerbDeps = {
    state: deps.state,
    audit,
    world: place.world,
    said: { between: async (from, to) => entries().filter(({ at }) => at >= from && at <= to) },
    approvers: () => approvers,
    notify: deps.notify,
    account: 'x@laptop',
    whoami: undefined,
  };
  const verb = async (work: (terminal: Terminal) => Promise<number>) => {
    const [out, err]: [string[], string[]] = [[], []];
    const signal = new AbortController().signal;
    const code = await work({
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
      json: false,
      signal,
    });
    return { code, out: out.join('\n'), err: err.join('\n') };
  };
  return {
    place,
    rotation,
    deps: ours,
    sign: (who, options) => verb((terminal) => reviewSignVerb(rotation, { as: who, ...options }, ours, terminal)),
    list: (options = {}) => verb((terminal) => reviewListVerb(options, ours, terminal)),
    signed: async () => (await signReview(ours, { rotation, who: 'nobody', why: '' })).signed,
  };
}

const stored = ({ place, rotation }: Reviewing) => place.bucket.objects.get(`reviews/${rotation}.json`)?.bytes;

/** Somebody writes to the state store past lockkeeper. */
async function forge(here: Reviewing, change: { readonly [name: string]: Plain }): Promise<void> {
  const key = `reviews/${here.rotation}.json`;
  const state = memoryObjects(here.place.bucket);
  const held = await state.get(key);
  if (!held) throw new Error('no review');
  const json = JSON.stringify(Object.assign({}, JSON.parse(Buffer.from(held.bytes).toString()), change));
  await state.replace(key, Buffer.from(json), held.version);
}

describe('the review of an emergency', () => {
  test('is open until two people signed it, and then people are told, once', async () => {
    const here = await reviewing();
    expect(await here.list()).toMatchObject({
      code: 0,
      out: expect.stringContaining('0 of 2 signatures; ada, ben, cyd may sign'),
    });
    expect(await here.sign('ada', { reason: 'rotated in time' })).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ada signed .* 1 of 2/),
    });
    const told = here.place.told.length;
    expect(await here.sign('ben')).toMatchObject({ code: 0, out: expect.stringMatching(/closed, ada, ben signed it/) });
    await here.sign('ben');
    await here.sign('cyd');
    expect(here.place.told.slice(told)).toEqual([
      { hash: undefined, level: 'info', text: expect.stringMatching(/review of .* is closed: ada, ben signed it/) },
    ]);
    expect((await here.list()).out).toBe('No review is open.');
    expect((await here.list({ all: true })).out).toMatch(/signed: ada at .*: rotated in time[\s\S]*it is closed/);
  });

  test('counts one person once, in whatever spelling', async () => {
    const here = await reviewing();
    for (const who of ['ada', 'Ada', ' ａｄａ', 'ada']) expect((await here.sign(who)).code).toBe(0);
    expect(await here.signed()).toEqual(['ada']);
    expect((await here.list()).out).toContain('1 of 2');
  });

  test.each([
    ['who ordered it', 'ann', /ann ordered/],
    ['who ordered it, in another spelling', 'ANN', /ann ordered/],
    ['who ordered it first', 'ben', /ben ordered/],
    ['who is no approver', 'mallory', /mallory is no approver/],
    ['whose name only looks like an approver’s', 'аda', /only looks like ada/],
  ])('refuses %s, and the log says so', async (_, who, why) => {
    const here = await reviewing(['ben', 'ann']);
    expect(await here.sign(who)).toMatchObject({ code: 3, out: '', err: expect.stringMatching(why) });
    expect(await here.signed()).toEqual([]);
    expect(here.place.log.events.findLast(({ actor }) => actor !== 'nobody')).toMatchObject({
      action: 'rotation.review-sign',
      result: 'refused',
      details: { account: 'x@laptop' },
    });
  });

  test('a name that looks like that of who ordered it does not sign', async () => {
    const here = await reviewing(['ann']);
    const deps = { ...here.deps, approvers: () => ['аnn', 'ben'] };
    expect(await signReview(deps, { rotation: here.rotation, who: 'аnn', why: '' })).toMatchObject({ refused: 'own' });
  });

  test('says that nobody is left who may sign', async () => {
    const here = await reviewing(['ben', 'ann']);
    const deps = { ...here.deps, approvers: () => ['ada', 'ben'] };
    const { text } = await signReview(deps, { rotation: here.rotation, who: 'ada', why: '' });
    expect(text).toMatch(/1 of 2 signatures; nobody else may sign: add somebody who did not order it/);
  });

  test('both of two who sign at once count', async () => {
    const here = await reviewing();
    await Promise.all([here.sign('ada'), here.sign('ben'), here.sign('cyd')]);
    expect([...(await here.signed())].toSorted()).toEqual(['ada', 'ben', 'cyd']);
    expect((await here.list()).out).toBe('No review is open.');
  });

  test('has intent and outcome of every signature in the log, with what was signed and from which account', async () => {
    const here = await reviewing();
    await here.sign('ada', { reason: 'password=hunter2-hunter2-hunter2' });
    const entries = here.place.log.events.filter(({ action }) => action === 'rotation.review-sign');
    expect(entries.map(({ stage, actor, correlation }) => [stage, actor, correlation])).toEqual([
      ['intent', 'ada', here.rotation],
      ['outcome', 'ada', here.rotation],
    ]);
    expect(entries[1]?.details).toMatchObject({
      orderedBy: ['ann'],
      reason: 'seen by ann',
      signatures: 1,
      closed: false,
      account: 'x@laptop',
    });
    expect(JSON.stringify([entries, Buffer.from(stored(here) ?? []).toString()])).not.toContain('hunter2');
  });
});

describe('whoever writes to the state store', () => {
  const forged = (who: string) => ({ who, at: '2026-10-01T00:00:00Z', why: '' });

  test('adds no signature that counts, and closes nothing', async () => {
    const here = await reviewing();
    await forge(here, { signatures: ['ada', 'ben'].map(forged), closed: '2026-10-01T00:00:00Z', told: true });
    expect((await here.list()).out).toMatch(/not counted: ada, [\s\S]*not counted: ben, [\s\S]*0 of 2/);
    expect((await here.sign('ada')).out).toContain('1 of 2');
    expect((await here.sign('ben')).out).toContain('closed');
    expect(here.place.told.at(-1)?.text).toContain('is closed');
  });

  test.each<{ readonly [name: string]: Plain }>([
    { needed: 1 },
    { actors: [] },
    { actors: ['cyd'] },
    { needed: 1, actors: [], signatures: [forged('ben')] },
  ])('lets nobody sign who ordered it, and nobody alone: %j', async (change) => {
    const here = await reviewing(['ben', 'ann']);
    await forge(here, change);
    for (const who of ['ann', 'ben']) expect((await here.sign(who)).code).toBe(3);
    expect((await here.list()).out).toContain('0 of 2');
    expect((await here.sign('ada')).out).toContain('1 of 2');
    expect((await here.list()).out).toMatch(/ordered by .*ben, ann/);
  });

  test('takes none away', async () => {
    const here = await reviewing();
    await here.sign('ada');
    await forge(here, { signatures: [] });
    expect((await here.sign('ben')).out).toContain('closed');
  });

  test('hides no other review behind a broken one', async () => {
    const here = await reviewing();
    await here.deps.state.create('reviews/r-broken.json', Buffer.from('{'));
    const { code, out, err } = await here.list();
    expect({ code, out, err }).toMatchObject({
      code: 1,
      out: expect.stringContaining(here.rotation),
      err: expect.stringContaining('r-broken.json is not JSON'),
    });
  });
});

describe('a process that dies while somebody signs', () => {
  test.each([
    ['before the write', 'replace', 'before'],
    ['after the write', 'replace', 'after'],
    ['before the outcome is in the log', 'record', 'before'],
  ] as const)('%s: signing again counts once', async (_, what, when) => {
    const here = await reviewing();
    let left = 1;
    const died = new LockkeeperError('uncertain', 'the answer was lost');
    const state: typeof here.deps.state = {
      ...here.deps.state,
      get: (key) => here.deps.state.get(key),
      async replace(key, bytes, held) {
        if (what !== 'replace' || left-- <= 0) return await here.deps.state.replace(key, bytes, held);
        if (when === 'after') await here.deps.state.replace(key, bytes, held);
        throw died;
      },
    };
    const audit: typeof here.deps.audit = {
      async record(event) {
        if (what === 'record' && event.stage === 'outcome' && left-- > 0) throw died;
        return await here.deps.audit.record(event);
      },
    };
    const broken = { ...here.deps, state, audit };
    const signer = { rotation: here.rotation, who: 'ada', why: '' };
    await expect(signReview(broken, signer)).rejects.toMatchObject({ code: 'uncertain' });
    expect((await here.signed()).length).toBe(what === 'replace' && when === 'before' ? 0 : 1);
    expect((await signReview(broken, signer)).signed).toEqual(['ada']);
    here.place.world.pass(minute);
    expect((await here.sign('ben')).out).toContain('closed');
  });

  test('people hear of a closed review from whoever signs next, where they could not be told', async () => {
    const here = await reviewing();
    await here.sign('ada');
    const mute = { ...here.deps, notify: async () => Promise.reject(new LockkeeperError('unreachable', 'down')) };
    expect(await signReview(mute, { rotation: here.rotation, who: 'ben', why: '' })).toMatchObject({
      outcome: 'counted',
    });
    await here.sign('ben');
    expect(here.place.told.at(-1)?.text).toContain('is closed: ada, ben signed it');
  });
});

test('a review of format 1 is listed and signed; all whom it names as one text ordered it', async () => {
  const here = await reviewing();
  const first = {
    format: 1,
    credential: 'app-db',
    rotation: 'r-old',
    reason: 'leaked',
    actor: 'ann, ben',
    opened: '2026-10-01T00:00:00Z',
    needed: 2,
    signatures: [],
  };
  await here.deps.state.create('reviews/r-old.json', Buffer.from(canonicalJson(first)));
  expect((await here.list()).out).toMatch(/r-old: .*ordered by ann, ben[\s\S]*ada, cyd may sign/);
  const sign = (who: string) => signReview(here.deps, { rotation: 'r-old', who, why: '' });
  expect(await sign('ben')).toMatchObject({ refused: 'own' });
  await sign('ada');
  expect(await sign('cyd')).toMatchObject({ outcome: 'counted', signed: ['ada', 'cyd'] });
});

test.each(['r-nothing', '../rotations/app-db', ''])('there is no review %j', async (rotation) => {
  const { deps } = await reviewing();
  await expect(signReview(deps, { rotation, who: 'ada', why: '' })).rejects.toMatchObject({ code: 'not-found' });
});
