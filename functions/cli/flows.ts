import { guessFormat, rowsOf, type FlowFormat } from '../../shared/flow-logs/rows.ts';
import { asLockkeeperError, LockkeeperError } from '../../shared/base/error.ts';
import { formatInstant } from '../../shared/base/time.ts';
import type { FlowRecord, ParsedRow } from '../../shared/flow-logs/contract.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

/** What one file held. */
interface FileSummary {
  readonly file: string;
  readonly format: FlowFormat | undefined;
  records: number;
  /** Good rows that are no flow. */
  status: number;
  malformed: number;
  /** The first bad rows; the rest are only counted. */
  readonly bad: { readonly line: number; readonly why: string }[];
  unreadable: string | undefined;
}

const badShown = 20;

/**
 * `lockkeeper flows FILE…`: every flow as one JSON line on stdout, and on stderr what each file held; with --output
 * json that is the last line of stdout instead. Exit 1 if a file could not be read; bad rows are told and are no
 * failure. Errors: invalid for an unknown --format.
 */
export async function flows(
  files: readonly string[],
  options: { format?: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const wanted = options.format === undefined ? undefined : formatOf(options.format);
  const summaries: FileSummary[] = [];
  for (const file of files) {
    if (terminal.signal.aborted) return exitCode.interrupted;
    const summary = await printFile(file, wanted, terminal);
    summaries.push(summary);
    if (!terminal.json) for (const line of inWords(summary)) terminal.err(line);
  }
  if (terminal.json) terminal.out(JSON.stringify({ summary: summaries }));
  return summaries.some(({ unreadable }) => unreadable !== undefined) ? exitCode.failed : exitCode.done;
}

function formatOf(text: string): FlowFormat {
  const formats: Readonly<Record<string, FlowFormat>> = {
    aws: 'aws',
    gcp: 'gcp',
    azure: 'azure',
    'aws-vpc': 'aws',
    'gcp-vpc': 'gcp',
    'azure-vnet': 'azure',
  };
  const format = formats[text];
  if (format) return format;
  throw new LockkeeperError('invalid', `--format ${text} is not known`, {
    hint: 'Use aws, gcp or azure, or leave it out.',
  });
}

async function printFile(file: string, wanted: FlowFormat | undefined, terminal: Terminal): Promise<FileSummary> {
  const empty = { file, records: 0, status: 0, malformed: 0, bad: [], unreadable: undefined };
  try {
    const format = wanted ?? (await guessFormat(file));
    if (format === undefined)
      return { ...empty, format, unreadable: 'it looks like no flow log; --format says which it is' };
    return await printRows({ ...empty, format }, rowsOf(file, format), terminal);
  } catch (thrown) {
    return { ...empty, format: wanted, unreadable: asLockkeeperError(thrown).message };
  }
}

async function printRows(
  summary: FileSummary,
  rows: AsyncIterable<ParsedRow>,
  terminal: Terminal,
): Promise<FileSummary> {
  try {
    for await (const row of rows) {
      if (terminal.signal.aborted) break;
      if (row.kind === 'record') terminal.out(JSON.stringify({ ...printed(row.record), repeats: row.repeats }));
      if (row.kind === 'record') summary.records += 1;
      else if (row.kind === 'status') summary.status += 1;
      else addBad(summary, row);
    }
  } catch (thrown) {
    // What came before the damage has been printed; the summary says that it is not all.
    summary.unreadable = asLockkeeperError(thrown).message;
  }
  return summary;
}

function addBad(summary: FileSummary, { line, why }: { readonly line: number; readonly why: string }): void {
  summary.malformed += 1;
  if (summary.bad.length < badShown) summary.bad.push({ line, why });
}

function printed({ start, end, ...record }: FlowRecord) {
  return { ...record, start: start && formatInstant(start), end: end && formatInstant(end) };
}

function inWords({ file, records, status, malformed, bad, unreadable }: FileSummary): readonly string[] {
  const held = `${file}: ${records} records, ${status} status rows, ${malformed} malformed`;
  const lines = bad.map(({ line, why }) => `  line ${line}: ${why}`);
  const more = malformed > bad.length ? [`  and ${malformed - bad.length} more`] : [];
  return [...(unreadable === undefined ? [held] : [`${held}, not all readable: ${unreadable}`]), ...lines, ...more];
}
