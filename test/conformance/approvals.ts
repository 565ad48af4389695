import { describe, expect, test } from '@jest/globals';
import { hasCode } from '../../shared/base/error.ts';
import { instant } from '../../shared/base/time.ts';
import type { Answer, Approvals, Heard, Question, RawMessage } from '../../shared/approvals/contract.ts';

/** What a driver's test hands to the suite. */
export interface ApprovalsHarness {
  readonly name: string;
  /** A place of its own for one test, in which `ann` and `ben` may answer. */
  fresh(): Promise<ApprovalsPlace>;
}

/** One place where people are asked. */
export interface ApprovalsPlace {
  readonly approvals: Approvals;
  /**
   * What a person who looks there can read: everything that was shown, as text. Must not ask the driver's own methods.
   */
  seen(): Promise<string>;
  /** How often somebody was pinged. */
  pings(): number;
  /** The message as it arrives when that person really answers. */
  press(who: 'ann' | 'ben', answer: Omit<Heard, 'who'>): Promise<RawMessage>;
  /** Messages that carry a decision and prove nothing, by what is wrong with them; each must be `denied`. */
  forgeries(): Promise<ReadonlyMap<string, RawMessage>>;
  /** Messages from the right person that make no sense, by what is wrong; each must be `invalid`. */
  nonsense(): Promise<ReadonlyMap<string, RawMessage>>;
  /** What must never be shown: tokens, signing secrets. */
  readonly secrets: readonly string[];
  end(): Promise<void>;
}

/** A question to try things with. */
export function question(about: string, rest: Partial<Question> = {}): Question {
  return {
    hash: about,
    title: 'Close r-1 (tcp 5432) in net?',
    facts: [{ label: 'Why', text: 'Nothing came in for 30 days.' }],
    owner: 'olga',
    needed: 2,
    approvers: ['ann', 'ben'],
    expires: instant(Date.UTC(2026, 9, 8)),
    ...rest,
  };
}

/** A hash of one repeated hex digit. */
export function hash(digit: string): string {
  return digit.repeat(64);
}

/** Every promise of the Approvals contract as a test. */
export function approvalsConformance(harness: ApprovalsHarness): void {
  describe(`${harness.name} keeps the Approvals contract`, () => {
    asking(harness);
    hearing(harness);
    telling(harness);
  });
}

function asking(harness: ApprovalsHarness): void {
  test('a question is shown whole: title, every fact, owner', () =>
    within(harness, async ({ approvals, ...place }) => {
      const long = `${'x'.repeat(5_000)} the end`;
      await approvals.ask(
        question(hash('a'), {
          facts: [
            { label: 'Rule before', text: long },
            { label: 'Undo', text: 'reopen' },
          ],
        }),
      );
      const text = await place.seen();
      for (const part of ['Close r-1 (tcp 5432) in net?', long, 'Rule before', 'Undo', 'olga'])
        expect(text).toContain(part);
    }));

  test('asking the same again shows nothing new and pings nobody', () =>
    within(harness, async ({ approvals, ...place }) => {
      await approvals.ask(question(hash('a')));
      const [text, pings] = [await place.seen(), place.pings()];
      await approvals.ask(question(hash('a')));
      expect([await place.seen(), place.pings()]).toEqual([text, pings]);
    }));

  test('two questions are both shown', () =>
    within(harness, async ({ approvals, ...place }) => {
      await approvals.ask(question(hash('a'), { title: 'the first' }));
      await approvals.ask(question(hash('b'), { title: 'the second' }));
      const text = await place.seen();
      expect([text.includes('the first'), text.includes('the second')]).toEqual([true, true]);
    }));

  test('no secret is ever shown', () =>
    within(harness, async ({ approvals, ...place }) => {
      await approvals.ask(question(hash('a')));
      await approvals.notify({ hash: hash('a'), level: 'info', text: 'news' });
      const text = await place.seen();
      for (const secret of place.secrets) expect(text).not.toContain(secret);
    }));
}

function hearing(harness: ApprovalsHarness): void {
  const until = instant(Date.UTC(2026, 10, 2));
  const answers: readonly [Answer, Omit<Heard, 'who'>][] = [
    ['approve', { hash: hash('a'), answer: 'approve', why: '', until: undefined }],
    ['deny', { hash: hash('a'), answer: 'deny', why: 'we need it & more', until: undefined }],
    ['snooze', { hash: hash('a'), answer: 'snooze', why: 'später', until }],
    ['exempt', { hash: hash('a'), answer: 'exempt', why: 'disaster recovery', until }],
    ['reopen', { hash: hash('a'), answer: 'reopen', why: 'month end', until: undefined }],
  ];
  test.each(answers)('hears who said what: %s', (_, answer) =>
    within(harness, async ({ approvals, ...place }) => {
      await approvals.ask(question(hash('a')));
      expect(await approvals.hear(await place.press('ann', answer))).toEqual({ ...answer, who: 'ann' });
      expect(await approvals.hear(await place.press('ben', answer))).toEqual({ ...answer, who: 'ben' });
    }),
  );

  test('whatever proves nothing is denied', () =>
    within(harness, async ({ approvals, ...place }) => {
      await approvals.ask(question(hash('a')));
      const forgeries = await place.forgeries();
      expect(forgeries.size).toBeGreaterThan(0);
      for (const [what, message] of forgeries)
        expect({ what, outcome: await outcomeOf(approvals, message) }).toEqual({ what, outcome: 'denied' });
    }));

  test('whatever proves nothing is denied before it is read: garbage from strangers is denied, not invalid', () =>
    within(harness, async ({ approvals, ...place }) => {
      for (const [what, message] of await place.forgeries()) {
        const garbage = { ...message, body: Uint8Array.of(0xff, 0xfe, 0x7b) };
        expect({ what, outcome: await outcomeOf(approvals, garbage) }).toEqual({ what, outcome: 'denied' });
      }
    }));

  test('what makes no sense is invalid', () =>
    within(harness, async ({ approvals, ...place }) => {
      const nonsense = await place.nonsense();
      expect(nonsense.size).toBeGreaterThan(0);
      for (const [what, message] of nonsense)
        expect({ what, outcome: await outcomeOf(approvals, message) }).toEqual({ what, outcome: 'invalid' });
    }));
}

function telling(harness: ApprovalsHarness): void {
  test('people read what they are told', () =>
    within(harness, async ({ approvals, ...place }) => {
      await approvals.ask(question(hash('a')));
      await approvals.notify({ hash: hash('a'), level: 'warning', text: 'r-1 is open again' });
      await approvals.notify({ hash: undefined, level: 'alarm', text: 'nobody may approve r-2' });
      const text = await place.seen();
      expect([text.includes('r-1 is open again'), text.includes('nobody may approve r-2')]).toEqual([true, true]);
    }));
}

async function outcomeOf(approvals: Approvals, message: RawMessage): Promise<string> {
  try {
    return `heard ${(await approvals.hear(message)).answer}`;
  } catch (thrown) {
    return (
      ['denied', 'invalid'].find((code) =>
        code === 'denied' ? hasCode(thrown, 'denied') : hasCode(thrown, 'invalid'),
      ) ?? String(thrown)
    );
  }
}

async function within(harness: ApprovalsHarness, check: (place: ApprovalsPlace) => Promise<void>): Promise<void> {
  const place = await harness.fresh();
  try {
    await check(place);
  } finally {
    await place.end();
  }
}
