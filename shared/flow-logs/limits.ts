import { LockkeeperError } from '../base/error.ts';
import { formatInstant, type Instant } from '../base/time.ts';
import type { ParsedRow, Within } from './contract.ts';

/** What no flow log of any cloud comes near. An object beyond it is damaged, or was made to harm. */
export const most = {
  /** Characters of one line of text: the longest real ones have 2,000. */
  lineChars: 65_536,
  /** Columns of one object: AWS has about 60. */
  columns: 256,
  /** Characters of one JSON value that is parsed at once; a larger list is read member by member. */
  valueChars: 4_194_304,
  /** Lists and objects in such a value, each of which costs memory; real ones have one in 100 characters. */
  brackets: 131_072,
  /** Characters of the name of an interface, subnet or machine. */
  nameChars: 256,
  /** Packets or bytes of one row. */
  counter: 1e15,
  /** Interfaces of one object: a VPC has at most 256,000 addresses. */
  interfaces: 262_144,
  /** Rows of one object that cannot be read, before the object is given up. */
  badRows: 100_000,
  /** Bytes of one object as it lies there. AWS writes 75 MB. */
  fileBytes: 4_000_000_000,
} as const;

/** How much an object of so many bytes may unpack to: real flow logs unpack to 5 to 30 times their size. */
export function mostUnpacked(bytes: number): number {
  return 17_000_000 + 64 * bytes;
}

/** How many rows a Parquet object of so many bytes may say it has. */
export function mostRows(bytes: number): number {
  return 1_000_000 + 8 * bytes;
}

/** True for what is no flow log: work on it ends. On a flow log with bad rows it does not. */
export function isHopeless(bad: number, good: number): boolean {
  return bad > most.badRows && bad > good;
}

/** The error for what is hopeless. */
export function givenUp(bad: number, why: string | undefined): LockkeeperError {
  return new LockkeeperError('invalid', `it was given up after ${bad} rows that cannot be read, the first: ${why}`, {
    hint: 'Find out who put it there, and fetch the object again.',
  });
}

/** The row, or why it cannot be true: a time that no flow can have, a name that nothing has. Pure. */
export function plausible(row: ParsedRow, within: Within): ParsedRow {
  if (row.kind === 'malformed') return row;
  const { start, end } = row.kind === 'record' ? row.record : row;
  const name = row.kind === 'record' ? row.record.interface : row.scope;
  for (const at of [start, end]) {
    if (at !== undefined && (at < within.from || at > within.to)) return malformed(`no flow can be of ${timeText(at)}`);
  }
  if (name !== undefined && isOddName(name)) return malformed('a name that is too long, or has control characters');
  return row;
}

/** True for what names nothing: too long, or with characters that control a terminal. */
export function isOddName(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return name.length > most.nameChars || /[\u0000-\u001f\u007f-\u009f\ufffd]/.test(name);
}

function malformed(why: string): ParsedRow {
  return { kind: 'malformed', line: 0, why };
}

function timeText(at: Instant): string {
  return Math.abs(at) < 8.64e15 ? formatInstant(at) : String(at);
}
