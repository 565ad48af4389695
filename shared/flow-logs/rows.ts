import { LockkeeperError } from '../base/error.ts';
import { brokenFile, encodingOf, firstLine, linesOf, partsOf } from './content.ts';
import { awsRow, defaultFields, headerFields, headerTrouble } from './formats/aws-vpc-lines.ts';
import { azureReader } from './formats/azure-vnet.ts';
import { gcpRow } from './formats/gcp-vpc.ts';
import { jsonValues, listOf, membersOf, textOf, type JsonPiece } from './formats/json-values.ts';
import { most, plausible } from './limits.ts';
import { parquetRows } from './parquet.ts';
import { anyTime, type ParsedRow } from './contract.ts';

/** The clouds whose flow logs can be read. */
export type FlowFormat = 'aws' | 'gcp' | 'azure';

/**
 * Every row of one file, in order, whatever it is; a row that no flow can have made is malformed. Memory and work are
 * bounded whatever the file holds. Errors: `invalid` where the file as a whole cannot be read.
 */
export async function* rowsOf(path: string, format: FlowFormat, within = anyTime): AsyncGenerator<ParsedRow> {
  for await (const row of rawRowsOf(path, format)) yield plausible(row, within);
}

async function* rawRowsOf(path: string, format: FlowFormat): AsyncGenerator<ParsedRow> {
  if (format === 'gcp') yield* gcpRows(path);
  else if (format === 'azure') yield* azureRows(path);
  else if (encodingOf(path) === 'parquet') yield* parquetRows(path);
  else yield* awsTextRows(path);
}

/** What the beginning of a file looks like; undefined where it looks like no flow log. Errors as rowsOf. */
export async function guessFormat(path: string): Promise<FlowFormat | undefined> {
  if (encodingOf(path) === 'parquet') return 'aws';
  const first = await firstLine(path);
  if (first === undefined || headerFields(first)) return 'aws';
  if (isTuple(first)) return 'azure';
  let seen = '';
  for await (const parts of partsOf(path, most.lineChars)) {
    for (const { text } of parts) if (seen.length <= 262_144) seen += `${text}\n`;
    if (seen.length > 262_144) break;
  }
  const places = (
    [
      /"(logEvents|events)"\s*:\s*\[/,
      /"(flowRecords|flowTuples|records)"\s*:/,
      /"(connection|jsonPayload)"\s*:/,
    ] as const
  ).map((sign) => seen.search(sign));
  const found = places.filter((place) => place >= 0);
  return (['aws', 'azure', 'gcp'] as const)[places.indexOf(Math.min(...found))];
}

async function* gcpRows(path: string): AsyncGenerator<ParsedRow> {
  for await (const piece of valuesOf(path)) yield gcpRow(piece);
}

async function* azureRows(path: string): AsyncGenerator<ParsedRow> {
  const reader = azureReader();
  if (isTuple((await firstLine(path)) ?? '')) {
    for await (const { line, number } of numbered(path)) yield reader.tuple(line.trim(), number);
    return;
  }
  for await (const piece of valuesOf(path)) yield* reader.rows(piece);
}

function valuesOf(path: string): AsyncGenerator<JsonPiece> {
  return jsonValues(partsOf(path, most.valueChars));
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
  const trouble = headerTrouble(fields);
  if (trouble !== undefined) throw brokenFile(path, trouble);
  for await (const { line, number } of numbered(path)) {
    if (line.trim() !== first.trim()) yield awsRow(fields, line, number);
  }
}

/**
 * What a subscription of a log group delivers, or `aws logs filter-log-events` prints: the default format, no header.
 */
async function* cloudWatchRows(path: string): AsyncGenerator<ParsedRow> {
  for await (const piece of valuesOf(path)) {
    const members = membersOf(piece.value);
    const events =
      members['logEvents'] ?? members['events'] ?? (members['message'] === undefined ? undefined : [members]);
    if (piece.why !== undefined || events === undefined)
      yield { kind: 'malformed', line: piece.line, why: piece.why ?? 'no logEvents' };
    for (const event of listOf(events)) {
      const message = textOf(membersOf(event)['message']);
      if (message === undefined) yield { kind: 'malformed', line: piece.line, why: 'an event without a message' };
      else yield awsRow(defaultFields, message.slice(0, most.lineChars), piece.line);
    }
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
