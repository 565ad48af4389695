import { isSamePerson, looksLikePerson } from '../../shared/base/person-name.ts';
import { parseInstant } from '../../shared/base/time.ts';
import type { IndexedEntry } from '../../shared/audit/read.ts';
import { entriesOf, type AuditPlace, type AuditDeps } from './audit.ts';
import { EntryPages, jsonOf } from './entry-table.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

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
 * come last, without an index. An empty answer is said on stderr.
 */
export async function auditShowVerb(options: AuditShowOptions, deps: AuditDeps, terminal: Terminal): Promise<ExitCode> {
  const fits = filterOf(options);
  const pages = new EntryPages();
  const alike = new Set<string>();
  let shown = 0;
  for await (const entry of entriesOf(await deps.stores(options))) {
    if (terminal.signal.aborted) return exitCode.interrupted;
    if (isAlike(options.person, entry)) alike.add(entry.event.actor);
    if (!fits(entry)) continue;
    shown += 1;
    if (terminal.json) terminal.out(JSON.stringify(jsonOf(entry)));
    else for (const line of pages.add(entry)) terminal.out(line);
  }
  if (shown === 0) terminal.err('No entry fits.');
  else if (!terminal.json) for (const line of pages.end()) terminal.out(line);
  if (alike.size > 0) terminal.err(`Not shown: entries by ${[...alike].join(', ')}, which only looks like that name.`);
  return exitCode.done;
}

/** By somebody whose name could be taken for the one that is asked for. */
function isAlike(person: string | undefined, { event }: IndexedEntry): boolean {
  if (person === undefined || isSamePerson(event.actor, person)) return false;
  return looksLikePerson(event.actor, person);
}

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
    (person === undefined || isSamePerson(event.actor, person)) &&
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
