import { parseInstant } from '../../shared/base/time.ts';
import type { IndexedEntry } from '../../shared/audit/read.ts';
import type { Refused } from '../../shared/audit/sealing/waiting.ts';
import { allEntriesOf, type AuditPlace, type AuditDeps } from './audit.ts';
import { EntryPages, jsonOf } from './entry-table.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { printable } from './printable.ts';

export interface AuditShowOptions extends AuditPlace {
  /** Entries about this service's credential. */
  readonly service?: string | undefined;
  /** Entries about this opening, by its id. */
  readonly opening?: string | undefined;
  /** Who caused it; lockkeeper itself is "lockkeeper". */
  readonly person?: string | undefined;
  /** RFC 3339, included. */
  readonly since?: string | undefined;
  /** RFC 3339, not included. */
  readonly until?: string | undefined;
  /** An action, or the story it begins with: rotation. */
  readonly action?: string | undefined;
  /** A run, or the beginning of its name. */
  readonly run?: string | undefined;
  /** What ties the entries of one rotation or closing together, or its beginning. */
  readonly correlation?: string | undefined;
}

/**
 * Prints the entries that fit all options, as a table or as one JSON object a line. Those that wait for their place
 * come last, without an index; what nobody is known to have written is marked, or left out by name. An entry that
 * cannot be read is shown as that, where no option chooses entries. An empty answer is said on stderr.
 */
export async function auditShowVerb(options: AuditShowOptions, deps: AuditDeps, terminal: Terminal): Promise<ExitCode> {
  const fits = filterOf(options);
  const pages = new EntryPages();
  const isAll = Object.keys(options).every((name) => places.has(name));
  const refused: Refused[] = [];
  let [shown, unreadable, unproven] = [0, 0, 0];
  for await (const entry of allEntriesOf(await deps.stores(options), (one) => refused.push(one))) {
    if (terminal.signal.aborted) return exitCode.interrupted;
    if ('unreadable' in entry) unreadable += 1;
    if ('unreadable' in entry ? !isAll : !fits(entry)) continue;
    shown += 1;
    if (entry.unproven) unproven += 1;
    if (terminal.json) terminal.out(JSON.stringify(jsonOf(entry)));
    else for (const line of pages.add(entry)) terminal.out(line);
  }
  if (shown === 0) terminal.err('No entry fits.');
  else if (!terminal.json) for (const line of pages.end()) terminal.out(line);
  for (const line of notes({ unreadable, unproven, refused })) terminal.err(printable(line));
  return exitCode.done;
}

/** The options that say which log is meant; all others say which entries. */
const places: ReadonlySet<string> = new Set(['dir', 'store', 'state', 'writerKey']);

interface Counted {
  readonly unreadable: number;
  readonly unproven: number;
  readonly refused: readonly Refused[];
}

function notes({ unreadable, unproven, refused }: Counted): readonly string[] {
  const lines = refused.slice(0, mostNamed).map(({ key, why }) => `${key} is left out: it ${why}`);
  if (refused.length > mostNamed)
    lines.push(`and ${refused.length - mostNamed} more are left out: \`lockkeeper audit verify\` names them`);
  if (unreadable > 0) lines.push(`${unreadable} of the entries cannot be read by this version.`);
  if (unproven > 0)
    lines.push(
      `${unproven} of the entries are unproven: they are not signed, and anybody who may write to the log store can have put them there. Give the writer key: --writer-key FILE.`,
    );
  return lines;
}

const mostNamed = 20;

function filterOf({
  service,
  opening,
  person,
  since,
  until,
  action,
  run,
  correlation,
}: AuditShowOptions): (entry: IndexedEntry) => boolean {
  const from = since === undefined ? -Infinity : parseInstant(since);
  const to = until === undefined ? Infinity : parseInstant(until);
  return ({ at, event, run: writer }) =>
    at >= from &&
    at < to &&
    (service === undefined || isAbout(event, 'credential', service) || event.details['service'] === service) &&
    (opening === undefined || isAbout(event, 'opening', opening) || event.details['opening'] === opening) &&
    (person === undefined || event.actor === person) &&
    (action === undefined || event.action === action || event.action.startsWith(`${action}.`)) &&
    (run === undefined || writer.startsWith(run)) &&
    (correlation === undefined || event.correlation.startsWith(correlation));
}

function isAbout(
  { subject }: IndexedEntry['event'],
  kind: IndexedEntry['event']['subject']['kind'],
  id: string,
): boolean {
  return subject.kind === kind && subject.id === id;
}
