import { expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { after, day, hour, minute } from '../../shared/base/time.ts';
import type { Firewall, PreparedChange } from '../../shared/firewalls/contract.ts';
import { memoryFirewall } from '../../shared/firewalls/memory.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved } from '../../shared/idle-ports/closing/close.ts';
import type { ClosingDeps } from '../../shared/idle-ports/closing/closing-deps.ts';
import { ClosureJournal } from '../../shared/idle-ports/closing/closure-journal.ts';
import { reopen } from '../../shared/idle-ports/closing/reopen.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { watchClosed } from '../../shared/idle-ports/closing/watch.ts';
import { ClosingPlace, row, rule } from './closing-world.ts';

/** Something that happens: a run of lockkeeper, a person's answer, a person's edit, time. */
type Event =
  | { readonly kind: 'scan' | 'close' | 'watch' | 'use' | 'silence' | 'knock' }
  | { readonly kind: 'answer'; readonly who: string; readonly opening: string; readonly answer: 'approve' | 'deny' }
  | { readonly kind: 'agree' | 'reopen' | 'remove' | 'restore-by-hand'; readonly opening: string }
  | { readonly kind: 'edit'; readonly opening: string; readonly text: string }
  | { readonly kind: 'pass'; readonly ms: number };

const openings = ['r-1', 'r-2'];
const opening = fc.constantFrom(...openings);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('scan' as const, 'close' as const, 'close' as const, 'watch' as const),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('agree' as const), opening }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      who: fc.constantFrom('ann', 'ben', 'carl', 'mallory'),
      opening,
      answer: fc.constantFrom('approve' as const, 'approve' as const, 'approve' as const, 'deny' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('use' as const, 'silence' as const, 'knock' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('reopen' as const, 'remove' as const, 'restore-by-hand' as const),
      opening,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('edit' as const), opening, text: fc.constantFrom('a', 'b', 'why r-1') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(minute, hour, day, 8 * day) }),
  },
);
/** One event, or two at the same moment. */
const moment = fc.array(event, { minLength: 1, maxLength: 2 });

test('whatever people, clocks and other runs do, nothing is ever closed that is not exactly what enough people approved', async () => {
  let closings = 0;
  let reopenings = 0;
  const notify = async (moments: readonly (readonly Event[])[]): Promise<void> => {
    const story = new Story();
    await story.happen({ kind: 'scan' });
    for (const events of moments) await Promise.all(events.map((one) => story.happen(one)));
    expect(story.violations).toEqual([]);
    closings += story.closings;
    reopenings += story.reopenings;
  };
  await fc.assert(fc.asyncProperty(fc.array(moment, { minLength: 5, maxLength: 30 }), notify), {
    numRuns: 120,
    seed: 20_261_001,
  });
  expect([closings > 50, reopenings > 5]).toEqual([true, true]);
});

class Story {
  readonly place = new ClosingPlace();
  readonly violations: string[] = [];
  closings = 0;
  reopenings = 0;

  async happen(one: Event): Promise<void> {
    try {
      await this.#happen(one);
    } catch (thrown) {
      const expected = thrown instanceof LockkeeperError && thrown.code !== 'bug';
      if (!expected) throw thrown;
    }
  }

  async #happen(one: Event): Promise<void> {
    const { place } = this;
    const { network } = place;
    const deps = this.#deps();
    switch (one.kind) {
      case 'scan':
        return void (await scan(deps, await place.judgement()));
      case 'close':
        return void (await closeApproved(deps, place.hooks()));
      case 'watch':
        return void (await watchClosed(deps, place.hooks()));
      case 'answer':
        return void (await takeAnswer(deps, {
          hash: (await place.closure(one.opening)).hash,
          answer: one.answer,
          who: one.who,
          why: 'so',
          until: undefined,
        }));
      case 'agree':
        for (const who of ['ann', 'ben'])
          await this.happen({ kind: 'answer', who, opening: one.opening, answer: 'approve' });
        return undefined;
      case 'reopen': {
        const held = await new ClosureJournal(deps.state).load('net', one.opening);
        return held && void (await reopen(deps, held, { who: 'ann', why: 'needed' }));
      }
      case 'remove':
        return void network.rules.delete(one.opening);
      case 'restore-by-hand':
        return void network.rules.set(one.opening, rule(one.opening, { description: 'by hand' }));
      case 'edit':
        return network.rules.has(one.opening)
          ? void network.rules.set(one.opening, rule(one.opening, { description: one.text }))
          : undefined;
      case 'use':
        return void place.verdicts.set('r-1', { verdict: 'used' });
      case 'silence':
        return void place.verdicts.delete('r-1');
      case 'knock':
        place.rows.push(row('10.1.1.1', after(place.world.now(), -100 * day), { kind: 'answered', largest: 900 }));
        return void place.rows.push(row('10.1.1.1', place.world.now(), { packets: 3 }));
      case 'pass':
      default:
        return place.world.pass(one.ms);
    }
  }

  #deps(): ClosingDeps {
    const firewall = memoryFirewall('net', this.place.network);
    const witnessed: Firewall = {
      ...firewall,
      apply: async (prepared) => {
        await this.#checkClosing(prepared);
        await firewall.apply(prepared);
      },
      restore: async (prepared) => {
        await firewall.restore(prepared);
        this.reopenings += 1;
        if (JSON.stringify(this.place.network.rules.get(prepared.change.opening)) !== JSON.stringify(prepared.before))
          this.violations.push('restored otherwise');
      },
    };
    return { ...this.place.deps(), firewalls: new Map([['net', witnessed]]) };
  }

  /** Judged from the durable journal and the live rule, without the code under test. */
  async #checkClosing(prepared: PreparedChange): Promise<void> {
    this.closings += 1;
    const { change, fingerprint } = prepared;
    const { votes, hash, proposal, phase } = await this.place.closure(change.opening);
    const now = this.place.world.now();
    const agreed = votes.filter((vote) => vote.hash === hash && vote.answer === 'approve').map(({ who }) => who);
    if (!agreed.includes('ann') || !agreed.includes('ben'))
      this.violations.push(`${change.opening} closed with the approval of ${agreed.join()}`);
    if (votes.some(({ answer }) => answer !== 'approve'))
      this.violations.push(`${change.opening} closed though somebody said no`);
    if (votes.some(({ at }) => now - at > this.place.policy.approvalExpiresMs + this.place.policy.executionExpiresMs))
      this.violations.push('an old approval was used');
    if (phase !== 'closing') this.violations.push(`applied while ${phase}`);
    if (proposal.fingerprint !== fingerprint) this.violations.push('another rule was closed than approved');
    if (this.place.verdicts.get(change.opening)?.verdict === 'used')
      this.violations.push(`${change.opening} closed though it is used`);
  }
}
