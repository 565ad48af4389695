import type { IndexedEntry, UnreadableEntry } from '../../shared/audit/read.ts';
import { leafHash } from '../../shared/audit/tlog/merkle.ts';
import { formatInstant } from '../../shared/base/time.ts';
import { visible } from '../../shared/base/visible.ts';

/** One entry as a line of JSON shows it; the index is left out while it waits. */
export function jsonOf(entry: IndexedEntry | UnreadableEntry) {
  if ('unreadable' in entry) {
    const { bytes, ...rest } = entry;
    const hash = Buffer.from(leafHash(bytes)).toString('hex');
    return { ...rest, hash, bytes: Buffer.from(bytes).toString('base64') };
  }
  const { event, at, ...place } = entry;
  return { ...place, at: formatInstant(at), ...event };
}

const head = ['entry', 'time', 'action', 'result', 'subject', 'by'];

/** Entries as an aligned table, a line each below a line that names the columns. */
export function entryTable(entries: readonly IndexedEntry[]): readonly string[] {
  const pages = new EntryPages();
  return [...entries.flatMap((entry) => pages.add(entry)), ...pages.end()];
}

/**
 * A table of any length while it is read: columns are as wide as what was seen up to the end of a page, and never grow
 * narrower.
 */
export class EntryPages {
  readonly #perPage = 200;
  #waiting: (readonly string[])[] = [[...head, 'details']];
  #widths: readonly number[] = head.map(() => 0);

  /** The lines that can be shown by now. */
  add(entry: IndexedEntry | UnreadableEntry): readonly string[] {
    this.#waiting.push(cellsOf(entry));
    return this.#waiting.length > this.#perPage ? this.end() : [];
  }

  /** What was held back. */
  end(): readonly string[] {
    const rows = this.#waiting;
    this.#waiting = [];
    this.#widths = this.#widths.map((width, at) =>
      Math.min(widest, Math.max(width, ...rows.map((cells) => cells[at]?.length ?? 0))),
    );
    return rows.map((cells) =>
      cells
        .map((cell, at) => cell.padEnd(this.#widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

/** So many bytes of what cannot be read. */
const mostShown = 200;

/** One long name does not push all others away. */
const widest = 48;

function cellsOf(entry: IndexedEntry | UnreadableEntry): readonly string[] {
  const place = entry.index === undefined ? (entry.unproven ? 'unproven' : 'waits') : String(entry.index);
  if ('unreadable' in entry) {
    const text = Buffer.from(entry.bytes.subarray(0, mostShown)).toString();
    return [place, '', 'unreadable', '', '', '', `${entry.unreadable}: ${text}`].map(visible);
  }
  const { at, event } = entry;
  const { action, stage, result, subject, actor, details } = event;
  const said = Object.entries(details).map(
    ([name, item]) => `${name}=${typeof item === 'string' ? item : JSON.stringify(item)}`,
  );
  return [
    place,
    formatInstant(at),
    action,
    result ?? stage,
    `${subject.kind} ${subject.id}`,
    actor,
    said.join(' '),
  ].map(visible);
}
