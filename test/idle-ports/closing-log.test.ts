import { describe, expect, test } from '@jest/globals';
import { asPlain, canonicalJson, sha256 } from '../../shared/base/canonical.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, formatInstant } from '../../shared/base/time.ts';
import type { Firewall } from '../../shared/firewalls/contract.ts';
import { memoryFirewall } from '../../shared/firewalls/memory.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import type { ClosingDeps } from '../../shared/idle-ports/closing/closing-deps.ts';
import { ClosureJournal } from '../../shared/idle-ports/closing/closure-journal.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { watchClosed } from '../../shared/idle-ports/closing/watch.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { unpaired } from '../intent-pairs.ts';
import { ClosingPlace, rule } from './closing-world.ts';

const only = () => new ClosingPlace([rule('r-1'), rule('other', { ports: { from: 80, to: 80 } })]);

async function approved(place = only()): Promise<ClosingPlace> {
  await scan(place.deps(), await place.judgement());
  await takeAnswer(place.deps(), await place.says('ann', 'approve', 'r-1'));
  place.world.pass(1000);
  await takeAnswer(place.deps(), await place.says('ben', 'approve', 'r-1', { why: 'quiet since spring' }));
  return place;
}

async function closed(): Promise<ClosingPlace> {
  const place = await approved();
  await closeApproved(place.deps(), place.hooks());
  return place;
}

async function held(place: ClosingPlace) {
  const found = await new ClosureJournal(memoryObjects(place.bucket)).load('net', 'r-1');
  if (!found) throw new Error('nobody was asked');
  return found;
}

const about = (place: ClosingPlace, action: string) =>
  place.entries.filter((entry) => entry.action === action && entry.subject.id === 'r-1');

const texts = ({ firewall, fingerprint }: { readonly firewall: unknown; readonly fingerprint: unknown }) => ({
  firewall: String(firewall),
  fingerprint: String(fingerprint),
});

/** The dependencies with one method of the firewall replaced. */
function withFirewall(place: ClosingPlace, change: Partial<Firewall>): ClosingDeps {
  const deps = place.deps();
  const firewall = deps.firewalls.get('net');
  if (!firewall) throw new Error('no firewall');
  return { ...deps, firewalls: new Map([['net', { ...firewall, ...change }]]) };
}

test('without the log nothing is reopened, by a person or by itself, and nobody is told that it was', async () => {
  const place = await closed();
  const told = place.board.notices.length;
  const audit = { record: () => Promise.reject(new LockkeeperError('unreachable', 'the log is down')) };
  const deps = withFirewall(place, { restore: () => Promise.reject(new Error('the rule was touched')) });
  await expect(reopen({ ...deps, audit }, await held(place), { who: 'ann', why: 'needed' })).rejects.toMatchObject({
    code: 'unreachable',
  });
  expect((await place.closure('r-1')).phase).toBe('quarantined');
  const quarantined = await place.closure('r-1');
  const now = place.world.now();
  const refusals = async () => ({
    seenUntil: now,
    knocks: [
      {
        who: '10.0.0.9',
        last: now,
        known: true,
        usesOthers: true,
        scanner: false,
        insists: true,
        why: 'it was a client',
      },
    ],
  });
  const { problems } = await watchClosed(
    { ...deps, audit, policy: { ...deps.policy, autoReopen: true } },
    { ...place.hooks(), refusals },
  );
  expect(problems.map(({ code }) => code)).toEqual(['unreachable']);
  expect(await place.closure('r-1')).toEqual(quarantined);
  expect(place.network.rules.has('r-1')).toBe(false);
  expect(place.board.notices).toHaveLength(told);
});

describe('from the log alone an auditor learns', () => {
  test('the exact rule, before and after, from every single entry of a closing and its reopening', async () => {
    const place = await closed();
    place.world.pass(30 * day);
    await watchClosed(place.deps(), place.hooks());
    await reopen(place.deps(), await held(place), { who: 'ann', why: 'the year ends' });
    const entries = place.entries.filter(({ subject }) => subject.id === 'r-1');
    const { hash } = await place.closure('r-1');
    const before = asPlain(rule('r-1'));
    for (const { details, correlation } of entries) {
      expect(details).toMatchObject({
        firewall: 'net',
        before,
        after: null,
        fingerprint: sha256(canonicalJson(before)),
      });
      expect(correlation).toBe(hash);
    }
    const kinds = ['closure.apply', 'closure.settle', 'closure.reopen', 'closure.restore'];
    expect(kinds.filter((kind) => !entries.some(({ action }) => action === kind))).toEqual([]);
    expect(unpaired(place.entries)).toEqual([]);
  });

  test('all that putting the rule back takes, and the very words that people agreed to', async () => {
    const place = await closed();
    const { hash, proposal, prepared } = await place.closure('r-1');
    const [receipt] = about(place, 'proposal.receipt');
    const [applied] = about(place, 'closure.apply');
    if (!receipt || !applied) throw new Error('nothing was asked or closed');
    const { firewall, before, after, fingerprint, rejectsVisible, openConnectionsLastMs } = applied.details;
    const rebuilt = {
      ...texts({ firewall, fingerprint }),
      change: { kind: 'close', opening: applied.subject.id },
      before: before ?? null,
      after: after ?? undefined,
      rejectsVisible: rejectsVisible === true,
      openConnectionsLastMs: Number(openConnectionsLastMs),
    } as const;
    expect(rebuilt).toEqual({ ...prepared, after: undefined });
    const asked = asPlain({
      ...Object.fromEntries(Object.entries(receipt.details['proposal'] ?? {})),
      firewall,
      opening: receipt.subject.id,
      before,
      after,
      fingerprint,
    });
    expect([asked, sha256(canonicalJson(asked))]).toEqual([proposal, hash]);
    // Into a network that has lost it, by what the log says and nothing else.
    await memoryFirewall('net', place.network).restore(rebuilt);
    expect(place.network.rules.get('r-1')).toEqual(rule('r-1'));
  });

  test('every vote: who, when, why, and for which proposal', async () => {
    const place = await approved();
    const { hash } = await place.closure('r-1');
    const [first, second] = about(place, 'decision.approve').filter(({ stage }) => stage === 'outcome');
    expect(first).toMatchObject({ actor: 'ann', correlation: hash, details: { answer: 'approve', hash } });
    expect(second).toMatchObject({
      actor: 'ben',
      correlation: hash,
      details: { hash, why: 'quiet since spring', at: formatInstant(place.world.now()) },
    });
  });

  test('on whose word a rule was closed', async () => {
    const place = await closed();
    const { hash } = await place.closure('r-1');
    const approvals = [
      { who: 'ann', hash },
      { who: 'ben', why: 'quiet since spring', hash, at: formatInstant(place.world.now()) },
    ];
    for (const entry of about(place, 'closure.apply')) expect(entry.details).toMatchObject({ approvals });
  });

  test('whom a question was put to, and that it did not reach them', async () => {
    const place = only();
    const deps = place.deps();
    const ask = async () => Promise.reject(new LockkeeperError('unreachable', 'the chat is down'));
    await expect(
      scan({ ...deps, approvals: { ...deps.approvals, ask } }, await place.judgement()),
    ).rejects.toMatchObject({ code: 'unreachable' });
    const [intent, outcome] = place.entries.filter(({ action }) => action === 'proposal.ask');
    expect(intent?.details).toMatchObject({
      service: 'db',
      owner: 'olga',
      approvers: ['ann', 'ben', 'carl'],
      excluded: ['carl'],
      needed: 2,
    });
    expect(outcome).toMatchObject({ stage: 'outcome', result: 'failed', details: { code: 'unreachable' } });
  });

  test('that an answer came too late for the journal, and that it was decided again', async () => {
    const place = only();
    await scan(place.deps(), await place.judgement());
    const deps = place.deps();
    const heard = await place.says('ann', 'approve', 'r-1');
    let races = 1;
    const replace: typeof deps.state.replace = async (...args) => {
      if (races-- > 0) await takeAnswer(place.deps(), await place.says('ben', 'approve', 'r-1'));
      return deps.state.replace(...args);
    };
    await takeAnswer({ ...deps, state: { ...deps.state, replace } }, heard);
    const ann = about(place, 'decision.approve')
      .filter(({ actor }) => actor === 'ann')
      .map(({ stage, result }) => result ?? stage);
    expect(ann).toEqual(['intent', 'refused', 'intent', 'done']);
  });

  test('who tried to reopen what does not concern him', async () => {
    const place = await closed();
    await expect(reopen(place.deps(), await held(place), { who: 'mallory', why: 'let me in' })).rejects.toMatchObject({
      code: 'denied',
    });
    expect(about(place, 'closure.reopen')).toMatchObject([
      { actor: 'mallory', stage: 'outcome', result: 'refused', details: { why: 'let me in', code: 'denied' } },
    ]);
  });

  test.each(['unreachable', 'uncertain', 'denied', 'conflict'] as const)(
    'that a rule could not be put back (%s)',
    async (code) => {
      const place = await closed();
      const restore = async () => Promise.reject(new LockkeeperError(code, 'not now'));
      await expect(
        reopen(withFirewall(place, { restore }), await held(place), { who: 'ann', why: 'x' }),
      ).rejects.toMatchObject({ code });
      const [, outcome] = about(place, 'closure.restore');
      const results = { unreachable: 'failed', uncertain: 'uncertain', denied: 'refused', conflict: 'refused' };
      expect(outcome).toMatchObject({ stage: 'outcome', result: results[code], details: { code } });
      expect(unpaired(place.entries)).toEqual([]);
    },
  );

  test('that a rule was put back but is not what it was', async () => {
    const place = await closed();
    await expect(
      reopen(withFirewall(place, { restore: async () => {} }), await held(place), { who: 'ann', why: 'x' }),
    ).rejects.toMatchObject({ code: 'uncertain' });
    expect(about(place, 'closure.restore').map(({ stage, result }) => result ?? stage)).toEqual([
      'intent',
      'uncertain',
    ]);
  });
});

describe('a closing', () => {
  test('that could not be tried afterwards is uncertain in the log, and is finished by the next run', async () => {
    const place = await approved();
    const probe = async () => Promise.reject(new LockkeeperError('unreachable', 'nobody is there to knock'));
    const { problems } = await closeApproved(place.deps(), { ...place.hooks(), probe });
    expect(problems).toMatchObject([
      { code: 'uncertain', message: expect.stringContaining('nobody is there to knock') },
    ]);
    expect(about(place, 'closure.apply').map(({ stage, result }) => result ?? stage)).toEqual(['intent', 'uncertain']);
    expect((await place.closure('r-1')).phase).toBe('closing');
    await closeApproved(place.deps(), { ...place.hooks(), probe: async () => 'refused' });
    expect(about(place, 'closure.apply').at(-1)).toMatchObject({ result: 'done', details: { probe: 'refused' } });
    expect((await place.closure('r-1')).phase).toBe('quarantined');
  });

  test('whose outcome the log does not take is neither failed nor drifted: the next run finishes it', async () => {
    const place = await approved();
    const deps = place.deps();
    const record: typeof deps.audit.record = async (event) => {
      if (event.action === 'closure.apply' && event.stage === 'outcome')
        throw new LockkeeperError('denied', 'the log is read-only');
      return deps.audit.record(event);
    };
    const { problems } = await closeApproved({ ...deps, audit: { record } }, place.hooks());
    expect(problems).toMatchObject([{ code: 'denied', message: 'the log is read-only' }]);
    expect((await place.closure('r-1')).phase).toBe('closing');
    await closeApproved(place.deps(), place.hooks());
    expect((await place.closure('r-1')).phase).toBe('quarantined');
  });

  test('that another run overtook says so, and touches nothing', async () => {
    const place = await approved();
    const deps = place.deps();
    const record: typeof deps.audit.record = async (event) => {
      const answer = await deps.audit.record(event);
      if (event.action === 'closure.apply' && event.stage === 'intent') {
        const now = await held(place);
        await new ClosureJournal(memoryObjects(place.bucket)).save(now, { ...now.closure, phase: 'drifted' });
      }
      return answer;
    };
    const { problems } = await closeApproved({ ...deps, audit: { record } }, place.hooks());
    expect(problems).toMatchObject([{ code: 'conflict' }]);
    expect(about(place, 'closure.apply').map(({ stage, result }) => result ?? stage)).toEqual(['intent', 'refused']);
    expect(place.network.rules.has('r-1')).toBe(true);
  });
});
