import type { Entry } from '../../shared/audit/codec.ts';
import { entries } from '../../shared/audit/read.ts';
import { verify, type VerifyReport } from '../../shared/audit/verify.ts';
import { formatInstant, parseInstant } from '../../shared/base/time.ts';
import type { ObjectHistory, ObjectStore } from '../../shared/objects/contract.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

/** The stores of one log, to read from. */
export interface AuditStores {
  readonly log: ObjectStore;
  /** Undefined where none was found: then nobody can tell whether entries were cut off the end. */
  readonly state: ObjectStore | undefined;
  /** What the log store remembers of its past; undefined where it keeps none. */
  readonly history: ObjectHistory | undefined;
  /** Where the log is, for people. */
  readonly where: string;
  /** `log`: as lockkeeper writes it. `tiles`: a plain tlog-tiles directory, as `audit export` or any other log made it. */
  readonly kind: 'log' | 'tiles';
  /** The public key to trust, as the configuration has it; undefined: the one that came with the log. */
  readonly verifyWith: string | undefined;
}

/** Which log is meant; the configured one where nothing is said. */
export interface AuditPlace {
  /** A directory: one that holds `log` and `state`, a log alone, or plain tlog-tiles. */
  readonly dir?: string | undefined;
  /** A log in a cloud: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX. */
  readonly store?: string | undefined;
  /** The state store that belongs to `store`, written the same way. */
  readonly state?: string | undefined;
}

/** What the wiring provides. */
export interface AuditRooms {
  /** The stores of `place`, to read from. `not-found` where no log is there, `invalid` where two places are named. */
  stores(place: AuditPlace): Promise<AuditStores>;
}

export type AuditVerifyOptions = AuditPlace;

export interface AuditShowOptions extends AuditVerifyOptions {
  /** Entries about this service's credential. */
  readonly service?: string | undefined;
  /** Entries about this opening, by its id. */
  readonly opening?: string | undefined;
  readonly actor?: string | undefined;
  /** RFC 3339, included. */
  readonly since?: string | undefined;
  /** RFC 3339, not included. */
  readonly until?: string | undefined;
  /** An action, or the story it begins with: rotation. */
  readonly action?: string | undefined;
}

/**
 * Proves that nobody changed the log: one line a finding, or one object {entries, ok, findings, covered} as JSON.
 * Exit code 1 if anything was changed. Only reads, needs no network.
 */
export async function auditVerifyVerb(options: AuditVerifyOptions, rooms: AuditRooms, terminal: Terminal): Promise<ExitCode> {
  const stores = await rooms.stores(options);
  const report = await verify(stores);
  if (terminal.json) terminal.out(JSON.stringify({ ...report, covered: report.covered ?? null }));
  else for (const line of told(report, stores)) terminal.out(line);
  return report.ok ? exitCode.done : exitCode.failed;
}

/** Prints the entries that fit all options, one line each; as JSON one object a line. */
export async function auditShowVerb(options: AuditShowOptions, rooms: AuditRooms, terminal: Terminal): Promise<ExitCode> {
  const fits = filterOf(options);
  const { log } = await rooms.stores(options);
  for await (const entry of entries({ log })) {
    if (terminal.signal.aborted) return exitCode.interrupted;
    if (fits(entry)) terminal.out(terminal.json ? jsonLine(entry) : textLine(entry));
  }
  return exitCode.done;
}

function told({ entries: count, ok, findings, covered }: VerifyReport, { state, where }: AuditStores): readonly string[] {
  const lines = findings.map(({ key, index, what }) => `${printable(key)}${index === undefined ? '' : ` (entry ${index})`} ${printable(what)}`);
  if (!ok) return [...lines, `${where}: ${count} entries, ${findings.length === 1 ? 'one thing was' : `${findings.length} things were`} changed`];
  if (!state) return [`${where}: ${count} entries, none changed; whether any were cut off the end cannot be told without the state store`];
  const behind = count - (covered ?? 0);
  const end = behind === 0 ? 'none cut off' : `none of the first ${covered ?? 0} cut off (the head is ${behind} behind)`;
  return [`${where}: ${count} entries, none changed, ${end}`];
}

function filterOf({ service, opening, actor, since, until, action }: AuditShowOptions): (entry: Entry) => boolean {
  const from = since === undefined ? -Infinity : parseInstant(since);
  const to = until === undefined ? Infinity : parseInstant(until);
  return ({ at, event }) =>
    at >= from &&
    at < to &&
    (service === undefined || isAbout(event, 'credential', service) || event.details['service'] === service) &&
    (opening === undefined || isAbout(event, 'opening', opening) || event.details['opening'] === opening) &&
    (actor === undefined || event.actor === actor) &&
    (action === undefined || event.action === action || event.action.startsWith(`${action}.`));
}

function isAbout({ subject }: Entry['event'], kind: Entry['event']['subject']['kind'], id: string): boolean {
  return subject.kind === kind && subject.id === id;
}

function jsonLine({ event, at, ...place }: Entry): string {
  return JSON.stringify({ ...place, at: formatInstant(at), ...event });
}

/** Columns of a fixed width, so that a log of any length prints while it is read. */
function textLine({ index, at, event }: Entry): string {
  const { action, stage, result, subject, actor, details } = event;
  const columns: readonly [string, number][] = [
    [String(index), 6],
    [formatInstant(at), 24],
    [action, 20],
    [result ?? stage, 9],
    [`${subject.kind} ${subject.id}`, 32],
    [actor, 14],
  ];
  const said = Object.entries(details).map(([name, item]) => `${name}=${typeof item === 'string' ? item : JSON.stringify(item)}`);
  return [...columns.map(([text, width]) => printable(text).padEnd(width)), printable(said.join(' '))].join(' ').trimEnd();
}

/** What people wrote may not steer a terminal, nor turn the order of its letters around. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
