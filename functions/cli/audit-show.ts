import { isSamePerson, looksLikePerson } from '../../shared/base/person-name.ts';
import { parseInstant } from '../../shared/base/time.ts';
import { visible } from '../../shared/base/visible.ts';
import type { IndexedEntry } from '../../shared/audit/read.ts';
import type { Refused } from '../../shared/audit/sealing/waiting.ts';
import { signedEntries, type Shown } from './audit-shown.ts';
import { allEntriesOf, type AuditPlace, type AuditDeps, type AuditStores } from './audit.ts';
import { caveats } from './audit-caveats.ts';
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
 * last, without an index; what nobody is known to have written is marked, or left out by name. An entry that cannot be
 * read is shown as that, where no option chooses entries. An empty answer, and what was not compared, are said on
 * stderr.
 */
export async function auditShowVerb(options: AuditShowOptions, deps: AuditDeps, terminal: Terminal): Promise<ExitCode> {
  const fits = filterOf(options);
  const pages = new EntryPages();
  const isAll = Object.keys(options).every((name) => places.has(name));
  const refused: Refused[] = [];
  const alike = new Set<string>();
  let [shown, unreadable, unproven] = [0, 0, 0];
  let seen: Shown = { signed: 0, unsigned: 0 };
  const all = shownOf(options, await deps.stores(options), {
    refused: (one) => refused.push(one),
    told: (now) => (seen = now),
  });
  for await (const entry of all) {
    if (terminal.signal.aborted) return exitCode.interrupted;
    if ('unreadable' in entry) unreadable += 1;
    else if (isAlike(options.person, entry)) alike.add(entry.event.actor);
    if (entry.unproven) unproven += 1;
    if ('unreadable' in entry ? !isAll : !fits(entry)) continue;
    shown += 1;
    if (terminal.json) terminal.out(JSON.stringify(jsonOf(entry)));
    else for (const line of pages.add(entry)) terminal.out(line);
  }
  if (shown === 0) terminal.err('No entry fits.');
  else if (!terminal.json) for (const line of pages.end()) terminal.out(line);
  const isVerified = options.unverified !== true;
  const lines = caveats({ ...seen, isVerified, unreadable, unproven, refused, alike: [...alike] });
  for (const line of lines) terminal.err(visible(line));
  return exitCode.done;
}

interface Hears {
  readonly refused: (one: Refused) => void;
  readonly told: (shown: Shown) => void;
}

function shownOf(
  { unverified, key }: AuditShowOptions,
  stores: AuditStores,
  { refused, told }: Hears,
): ReturnType<typeof allEntriesOf> {
  return unverified === true ? allEntriesOf(stores, refused) : signedEntries(stores, { key, told, refused });
}

/** The options that say which log is meant, and how far it is trusted; all others say which entries. */
const places: ReadonlySet<string> = new Set(['dir', 'store', 'state', 'writerKey', 'key', 'unverified']);

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
