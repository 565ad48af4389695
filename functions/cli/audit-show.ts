import { parseInstant } from '../../shared/base/time.ts';
import type { IndexedEntry } from '../../shared/audit/read.ts';
import { signedEntries, type Shown } from './audit-shown.ts';
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
  /** The verifier key to trust, NAME+ID+KEY. */
  readonly key?: string | undefined;
  /** Prints what lies there, whether or not it is what was signed. */
  readonly unverified?: boolean | undefined;
}

/**
 * Prints the entries that fit all options, as a table or as one JSON object a line, each once it was compared with the
 * signed tree; `conflict` at one that is not what was signed, unless `unverified`. Those that wait for their place come
 * last, without an index. An empty answer, and what was not compared, are said on stderr.
 */
export async function auditShowVerb(options: AuditShowOptions, deps: AuditDeps, terminal: Terminal): Promise<ExitCode> {
  const fits = filterOf(options);
  const pages = new EntryPages();
  let shown = 0;
  let seen: Shown = { signed: 0, unsigned: 0 };
  const stores = await deps.stores(options);
  const told = (now: Shown) => (seen = now);
  const all = options.unverified === true ? entriesOf(stores) : signedEntries(stores, { key: options.key, told });
  for await (const entry of all) {
    if (terminal.signal.aborted) return exitCode.interrupted;
    if (!fits(entry)) continue;
    shown += 1;
    if (terminal.json) terminal.out(JSON.stringify(jsonOf(entry)));
    else for (const line of pages.add(entry)) terminal.out(line);
  }
  if (shown === 0) terminal.err('No entry fits.');
  else if (!terminal.json) for (const line of pages.end()) terminal.out(line);
  for (const line of caveats(options, seen)) terminal.err(line);
  return exitCode.done;
}

/** What was not compared with anything signed. */
function caveats({ unverified }: AuditShowOptions, { unsigned }: Shown): readonly string[] {
  if (unverified === true)
    return ['Not verified: this is what lies there. Run `lockkeeper audit verify` to compare it with what was signed.'];
  if (unsigned === 0) return [];
  return [`${unsigned} ${unsigned === 1 ? 'entry is' : 'entries are'} not signed yet: nothing vouches for them.`];
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
