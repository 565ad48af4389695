import { hasCode } from '../../base/error.ts';
import { damaged, isObject, parseObject } from './json-object.ts';

/** Where an entry stands in its run: what is left out or moved shows. */
export interface Place {
  readonly run: string;
  /** From 0, without gaps. */
  readonly n: number;
  /** `hash` of the run's entry before; `firstPrevious` for its first. */
  readonly previous: string;
}

/** What an entry's bytes state about their run. */
export interface Statement extends Place {
  /** For the last entry of a run: how many entries it counts. */
  readonly counts: number | undefined;
  /** Where it rests on evidence: SHA-256 of it, hex. */
  readonly evidence: string | undefined;
}

/** What an entry states about its run; `invalid` where it is no JSON object or states nothing. */
export function statementOf(bytes: Uint8Array): Statement {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  return usualStatement(text) ?? anyStatement(text);
}

/** Of any JSON object. */
export function anyStatement(text: string): Statement {
  const { metadata, unmapped } = parseObject(text);
  const n = isObject(metadata) ? metadata['sequence'] : undefined;
  const { run, previous, action, details } = isObject(unmapped) ? unmapped : {};
  if (typeof n !== 'number' || !Number.isSafeInteger(n) || typeof run !== 'string' || typeof previous !== 'string')
    throw damaged('it does not say its place in a run');
  return { run, n, previous, ...saidIn(details, action === 'run.end') };
}

/**
 * The same answer in a third of the time, for an object whose members are those of a stored entry in their order, with
 * plain strings in them: only `details` are parsed, for the rest is JSON where it has this form. Undefined for every
 * other text.
 */
export function usualStatement(text: string): Statement | undefined {
  const head = beforeDetails.exec(text);
  const end = text.lastIndexOf(',"previous":');
  const [, previous, run] = (head && afterDetails.exec(text.slice(end))) ?? [];
  const [begin = '', sequence, action] = head ?? [];
  const n = Number(sequence);
  if (previous === undefined || run === undefined || !Number.isSafeInteger(n)) return undefined;
  try {
    const details = parseObject(text.slice(begin.length, end));
    return { run, n, previous, ...saidIn(details, action === 'run.end') };
  } catch (thrown) {
    // Then the text was cut in two at the wrong place, or is no JSON.
    if (hasCode(thrown, 'invalid')) return undefined;
    throw thrown;
  }
}

function saidIn(details: unknown, isEnd: boolean): Pick<Statement, 'counts' | 'evidence'> {
  const { entries, evidence } = isObject(details) ? details : {};
  const isHash = typeof evidence === 'string' && /^[0-9a-f]{64}$/.test(evidence);
  return {
    counts: isEnd && typeof entries === 'number' ? entries : undefined,
    evidence: isHash ? evidence : undefined,
  };
}

const letters = String.raw`[^"\\\0-\x1f]*`;
const word = `"${letters}"`;
const number = '(?:0|[1-9][0-9]*)';
const product = `{"name":${word},"vendor_name":${word}}`;
const metadata = `{"correlation_uid":${word},"log_name":${word},"product":${product},"profiles":\\[${word}\\],"sequence":(${number}),"uid":${word},"version":${word}}`;

/** Members in the order of canonical JSON; those of the subject's class are there or not. */
const members = [
  `"activity_id":${number},"activity_name":${word},"actor":{"user":{"name":${word}}},(?:"app":${product},)?"category_uid":${number},"class_uid":${number}`,
  `(?:"command_uid":${word},"connection_info":{"direction_id":${number}},)?(?:"entity":{"type":${word},"uid":${word}},)?"message":${word}`,
  `"metadata":${metadata},"severity_id":${number},"status":${word},"status_detail":${word},"status_id":${number},"time":${number},"type_uid":${number}`,
  `"unmapped":{"action":"(${letters})","details":`,
].join(',');
const beforeDetails = new RegExp(`^{${members}`.replaceAll('{', '\\{'));
const afterDetails = new RegExp(
  `^,"previous":"(${letters})",(?:"result":${word},)?"run":"(${letters})","stage":${word},"subject":{"id":${word},"kind":${word}}}}$`.replaceAll(
    '{',
    '\\{',
  ),
);
