import { LockkeeperError } from '../base/error.ts';
import { encodingOf, firstLine, linesOf } from './content.ts';
import { identifier, literal, withEngine } from './engine.ts';
import { awsRow, awsRowOf, defaultFields, headerFields } from './formats/aws-vpc-lines.ts';
import { azureReader } from './formats/azure-vnet.ts';
import { gcpRow } from './formats/gcp-vpc.ts';
import { jsonValues, listOf, membersOf, textOf } from './formats/json-values.ts';
import type { ParsedRow } from './contract.ts';

/** The clouds whose flow logs can be read. */
export type FlowFormat = 'aws' | 'gcp' | 'azure';

/** Every row of one file, in order, whatever it is. Errors: `invalid` where the file as a whole cannot be read. */
export async function* rowsOf(path: string, format: FlowFormat): AsyncGenerator<ParsedRow> {
  if (format === 'gcp') yield* gcpRows(path);
  else if (format === 'azure') yield* azureRows(path);
  else if ((await encodingOf(path)) === 'parquet') yield* parquetRows(path);
  else yield* awsTextRows(path);
}

/** What the beginning of a file looks like; undefined where it looks like no flow log. Errors as rowsOf. */
export async function guessFormat(path: string): Promise<FlowFormat | undefined> {
  if ((await encodingOf(path)) === 'parquet') return 'aws';
  const first = await firstLine(path);
  if (first === undefined || headerFields(first)) return 'aws';
  if (isTuple(first)) return 'azure';
  let seen = '';
  for await (const line of linesOf(path)) {
    seen += `${line}\n`;
    if (/"(logEvents|events)"\s*:\s*\[/.test(seen)) return 'aws';
    if (/"(flowRecords|flowTuples|records)"\s*:/.test(seen)) return 'azure';
    if (/"(connection|jsonPayload)"\s*:/.test(seen)) return 'gcp';
    if (seen.length > 262_144) return undefined;
  }
  return undefined;
}

async function* gcpRows(path: string): AsyncGenerator<ParsedRow> {
  for await (const piece of jsonValues(linesOf(path))) yield gcpRow(piece);
}

async function* azureRows(path: string): AsyncGenerator<ParsedRow> {
  const reader = azureReader();
  if (isTuple((await firstLine(path)) ?? '')) {
    for await (const { line, number } of numbered(path)) yield reader.tuple(line.trim(), number);
    return;
  }
  for await (const piece of jsonValues(linesOf(path))) yield* reader.rows(piece);
}

async function* awsTextRows(path: string): AsyncGenerator<ParsedRow> {
  const first = await firstLine(path);
  if (first === undefined) return;
  if (/^\s*[[{]/.test(first)) {
    yield* cloudWatchRows(path);
    return;
  }
  const fields = headerFields(first);
  if (!fields) throw noHeader(path, first);
  for await (const { line, number } of numbered(path)) {
    if (line.trim() !== first.trim()) yield awsRow(fields, line, number);
  }
}

/**
 * What a subscription of a log group delivers, or `aws logs filter-log-events` prints: the default format, no header.
 */
async function* cloudWatchRows(path: string): AsyncGenerator<ParsedRow> {
  for await (const piece of jsonValues(linesOf(path))) {
    const members = membersOf(piece.value);
    const events =
      members['logEvents'] ?? members['events'] ?? (members['message'] === undefined ? undefined : [members]);
    if (piece.why !== undefined || events === undefined)
      yield { kind: 'malformed', line: piece.line, why: piece.why ?? 'no logEvents' };
    for (const event of listOf(events)) {
      const message = textOf(membersOf(event)['message']);
      if (message === undefined) yield { kind: 'malformed', line: piece.line, why: 'an event without a message' };
      else yield awsRow(defaultFields, message, piece.line);
    }
  }
}

async function* parquetRows(path: string): AsyncGenerator<ParsedRow> {
  const found = await withEngine({}, async (engine) => {
    const from = `read_parquet(${literal(path)})`;
    const columns = (await engine.rows(`DESCRIBE SELECT * FROM ${from}`)).map(([name]) => String(name));
    const texts = columns.map((name) => `${identifier(name)}::VARCHAR`).join(', ');
    return { columns, rows: await engine.rows(`SELECT ${texts} FROM ${from} ORDER BY file_row_number`) };
  });
  const fields = found.columns.map((name) => name.replaceAll('_', '-'));
  const places = new Map(fields.map((name, index) => [name, index]));
  for (const [index, row] of found.rows.entries()) {
    const valueOf = (name: string) => {
      const value = row[places.get(name) ?? -1];
      return value === null || value === undefined || value === '-' ? undefined : String(value);
    };
    yield awsRowOf(valueOf, fields, index + 1);
  }
}

async function* numbered(path: string): AsyncGenerator<{ line: string; number: number }> {
  let number = 0;
  for await (const line of linesOf(path)) {
    number += 1;
    if (line.trim() !== '') yield { line, number };
  }
}

function isTuple(line: string): boolean {
  return /^\d{9,14},[\da-fA-F.:]+,[\da-fA-F.:]+,/.test(line.trim());
}

/** Also thrown by the driver for a text object that does not begin with a header. */
export function noHeader(path: string, first: string): LockkeeperError {
  return new LockkeeperError(
    'invalid',
    `${path} does not begin with a header line but with ${JSON.stringify(first.slice(0, 60))}`,
    {
      hint: 'Only a header tells which column is which; put the LogFormat of describe-flow-logs, without ${}, in front.',
    },
  );
}
