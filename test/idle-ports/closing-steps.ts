import { LockkeeperError, type ErrorCode } from '../../shared/base/error.ts';
import { after, day, hour, minute } from '../../shared/base/time.ts';
import type { Firewall } from '../../shared/firewalls/contract.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import { closeApproved, type RunReport } from '../../shared/idle-ports/closing/close.ts';
import { ClosureJournal, type HeldClosure } from '../../shared/idle-ports/closing/closure-journal.ts';
import type { ClosingDeps } from '../../shared/idle-ports/closing/closing-deps.ts';
import { scan } from '../../shared/idle-ports/closing/scan.ts';
import { watchClosed } from '../../shared/idle-ports/closing/watch.ts';
import { ClosingPlace, row, rule } from './closing-world.ts';

/** The two rules that most of these tests begin with. */
export const rules = [rule('r-1'), rule('other', { ports: { from: 80, to: 80 } })];

/** Two people agreed to close these openings. */
export async function approved(
  place = new ClosingPlace([rule('r-1'), rule('other', { ports: { from: 80, to: 80 } })]),
  openings = ['r-1'],
): Promise<ClosingPlace> {
  await scan(place.deps(), await place.judgement());
  for (const opening of openings) {
    for (const who of ['ann', 'ben']) await takeAnswer(place.deps(), await place.says(who, 'approve', opening));
  }
  return place;
}

/** What became of which opening. */
export function outcomes({ steps }: RunReport): readonly string[] {
  return steps.map(({ opening, outcome }) => `${opening} ${outcome}`);
}

/** The dependencies with one method of the firewall replaced. */
export function withFirewall(place: ClosingPlace, change: (firewall: Firewall) => Partial<Firewall>): ClosingDeps {
  const deps = place.deps();
  const firewall = deps.firewalls.get('net');
  if (!firewall) throw new Error('no firewall');
  return { ...deps, firewalls: new Map([['net', { ...firewall, ...change(firewall) }]]) };
}

/** A firewall that closes nothing. */
export function failing(code: ErrorCode, message: string): Pick<Firewall, 'apply'> {
  return { apply: () => Promise.reject(new LockkeeperError(code, message)) };
}

/** r-1 is closed since an hour. */
export async function closed(place = new ClosingPlace(rules)): Promise<ClosingPlace> {
  await scan(place.deps(), await place.judgement());
  for (const who of ['ann', 'ben']) await takeAnswer(place.deps(), await place.says(who, 'approve', 'r-1'));
  await closeApproved(place.deps(), place.hooks());
  place.world.pass(hour);
  return place;
}

/** One run of watching. */
export async function watch(place: ClosingPlace): Promise<RunReport> {
  return watchClosed(place.deps(), place.hooks());
}

/** The journal of one opening. */
export async function held(place: ClosingPlace, opening = 'r-1'): Promise<HeldClosure> {
  const found = await new ClosureJournal(place.deps().state).load('net', opening);
  if (!found) throw new Error('nothing is held');
  return found;
}

/** A client that used a port of the database's host long before: its own port unless told otherwise. */
export function used(place: ClosingPlace, peer: string, port = 5432): void {
  place.rows.push(row(peer, after(place.world.now(), -90 * day), { kind: 'answered', largest: 900, port }));
}

/** Attempts that the closing refused: one and its two retries, unless told otherwise. */
export function knock(place: ClosingPlace, peer: string, rest: Parameters<typeof row>[2] = {}): void {
  place.rows.push(row(peer, after(place.world.now(), -10 * minute), { packets: 3, ...rest }));
}
