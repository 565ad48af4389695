import { canonicalJson } from '../../base/canonical.ts';
import { visible } from '../../base/visible.ts';
import { formatInstant } from '../../base/time.ts';
import type { Draft, ExportFolder } from './folder.ts';
import type { Row, Table } from './tables.ts';

const columns = [
  'index',
  'time',
  'action',
  'stage',
  'result',
  'subject_kind',
  'subject',
  'actor',
  'correlation',
  'run',
  'n',
  'details',
];

/**
 * `entries.csv`: a line an entry (RFC 4180), times as RFC 3339, details as JSON. No cell can be run as a formula, or
 * show other text than it holds; the text itself is in the tiles.
 */
export async function csvTable(folder: ExportFolder): Promise<Table> {
  const draft: Draft = await folder.draft();
  await draft.append(lineOf(columns));
  return {
    add: async (rows) => await draft.append(rows.map((row) => lineOf(cellsOf(row))).join('')),
    async end() {
      await draft.keep('entries.csv');
      return 'entries.csv';
    },
  };
}

function cellsOf({ index, entry: { at, event, run, n } }: Row): readonly string[] {
  const { action, stage, result = '', subject, actor, correlation, details } = event;
  return [
    String(index),
    formatInstant(at),
    action,
    stage,
    result,
    subject.kind,
    subject.id,
    actor,
    correlation,
    run,
    String(n),
    canonicalJson(details),
  ].map(visible);
}

function lineOf(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

/**
 * A spreadsheet runs a cell that begins with =, +, -, @ or their wide forms, white space before them or not: an
 * apostrophe before such a text makes it one (OWASP, CSV injection). Whoever reads the file with a program takes it
 * away again.
 */
function cell(text: string): string {
  const harmless = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
