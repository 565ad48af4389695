import { formatInstant, parseInstant } from '../../shared/base/time.ts';
import type { IndexedEntry } from '../../shared/audit/read.ts';
import { entriesOf, printable, type AuditPlace, type AuditRooms } from './audit.ts';
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
}

/** Prints the entries that fit all options, one line each; as JSON one object a line. */
export async function auditShowVerb(options: AuditShowOptions, rooms: AuditRooms, terminal: Terminal): Promise<ExitCode> {
  const fits = filterOf(options);
  for await (const entry of entriesOf(await rooms.stores(options))) {
    if (terminal.signal.aborted) return exitCode.interrupted;
    if (fits(entry)) terminal.out(terminal.json ? jsonLine(entry) : textLine(entry));
  }
  return exitCode.done;
}

function filterOf({ service, opening, person, since, until, action }: AuditShowOptions): (entry: IndexedEntry) => boolean {
  const from = since === undefined ? -Infinity : parseInstant(since);
  const to = until === undefined ? Infinity : parseInstant(until);
  return ({ at, event }) =>
    at >= from &&
    at < to &&
    (service === undefined || isAbout(event, 'credential', service) || event.details['service'] === service) &&
    (opening === undefined || isAbout(event, 'opening', opening) || event.details['opening'] === opening) &&
    (person === undefined || event.actor === person) &&
    (action === undefined || event.action === action || event.action.startsWith(`${action}.`));
}

function isAbout({ subject }: IndexedEntry['event'], kind: IndexedEntry['event']['subject']['kind'], id: string): boolean {
  return subject.kind === kind && subject.id === id;
}

function jsonLine({ event, at, ...place }: IndexedEntry): string {
  return JSON.stringify({ ...place, at: formatInstant(at), ...event });
}

/** Columns of a fixed width, so that a log of any length prints while it is read. */
function textLine({ index, at, event }: IndexedEntry): string {
  const { action, stage, result, subject, actor, details } = event;
  const columns: readonly [string, number][] = [
    [index === undefined ? 'waits' : String(index), 6],
    [formatInstant(at), 24],
    [action, 20],
    [result ?? stage, 9],
    [`${subject.kind} ${subject.id}`, 32],
    [actor, 14],
  ];
  const said = Object.entries(details).map(([name, item]) => `${name}=${typeof item === 'string' ? item : JSON.stringify(item)}`);
  return [...columns.map(([text, width]) => printable(text).padEnd(width)), printable(said.join(' '))].join(' ').trimEnd();
}
