import Table from 'cli-table3';
import { visible } from '../../shared/base/visible.ts';
import { formatInstant, type Instant } from '../../shared/base/time.ts';
import type { Verdict } from '../../shared/idle-ports/verdict.ts';
import type { UsageEvidence, Window } from '../../shared/usage/evidence.ts';
import type { Terminal } from './io.ts';

/** What a scan found out. */
export interface Judged {
  readonly asOf: Instant;
  readonly window: Window;
  readonly verdicts: readonly Verdict[];
  readonly damaged: UsageEvidence['damaged'];
}

/**
 * Prints verdicts: a table and its totals, or with --output json one object on one line with times as RFC 3339 or null.
 * Damaged log objects are named on stderr either way.
 */
export function printVerdicts(judged: Judged, terminal: Terminal): void {
  for (const { key, malformed, unreadable } of judged.damaged) {
    terminal.err(
      unreadable === undefined
        ? `${key}: ${malformed} rows could not be read`
        : `${key}: could not be read: ${unreadable}`,
    );
  }
  if (terminal.json) terminal.out(JSON.stringify(judgedJson(judged)));
  else for (const line of asText(judged)) terminal.out(line);
}

/** What --output json says: times as RFC 3339 or null. */
export function judgedJson({ asOf, window, verdicts, damaged }: Judged) {
  return {
    asOf: formatInstant(asOf),
    window: { from: formatInstant(window.from), to: formatInstant(window.to) },
    verdicts: verdicts.map((one) => ({
      ...one,
      lastNew: timeOrNull(one.lastNew),
      lastPacket: timeOrNull(one.lastPacket),
      knocks: { ...one.knocks, last: timeOrNull(one.knocks.last) },
    })),
    damaged: damaged.map(({ key, malformed, unreadable }) => ({ key, malformed, unreadable: unreadable ?? null })),
  };
}

function timeOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : formatInstant(at);
}

function asText({ asOf, window, verdicts }: Judged): readonly string[] {
  const table = new Table({
    head: ['rule set', 'rule', 'verdict', 'last packet', 'days', 'seen', 'why'],
    colWidths: [undefined, undefined, undefined, undefined, undefined, undefined, 72].map((width) => width ?? null),
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const { ruleSet, rule, verdict, lastPacket, activeDays, coverage, reasons } of verdicts) {
    const last = lastPacket === undefined ? 'never' : formatInstant(lastPacket);
    table.push([
      visible(ruleSet),
      visible(rule),
      verdict,
      last,
      activeDays,
      `${Math.floor(coverage * 100)} %`,
      visible(reasons.map(({ text }) => text).join(' ')),
    ]);
  }
  const counts = [...Map.groupBy(verdicts, ({ verdict }) => verdict)]
    .map(([verdict, some]) => `${some.length} ${verdict}`)
    .toSorted();
  const span = `${formatInstant(window.from)} to ${formatInstant(window.to)}`;
  return [
    ...table.toString().split('\n'),
    `${verdicts.length} openings as of ${formatInstant(asOf)}, window ${span}: ${counts.join(', ')}`,
  ];
}
