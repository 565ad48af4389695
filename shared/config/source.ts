import { isCollection, isMap, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';

/** Where something stands in the file: keys of maps and ordinals of lists, from the top. */
export type Path = readonly (string | number)[];

/** Line and column, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The text of a configuration, read as YAML, with the place of everything in it. */
export interface Source {
  /** Plain data; empty where the text is no YAML. */
  readonly data: unknown;
  /** What is wrong with the text as YAML. Never quotes the text. */
  readonly flaws: readonly { readonly at: Position; readonly what: string }[];
  /** Where the value at `path` begins, or the nearest thing above it that exists. */
  valueAt(path: Path): Position;
  /** Where the last key of `path` stands. */
  keyAt(path: Path): Position;
}

/** Reads YAML 1.2 (so JSON too). Never throws: what is wrong is in `flaws`. */
export function readSource(text: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const flaws = [
    ...[...document.errors, ...document.warnings].map(({ pos, code }) => ({
      at: position(pos[0]),
      what: flawText(code),
    })),
    ...aliases(document).map((offset) => ({ at: position(offset), what: 'an alias (*…) is used; write it out' })),
    ...oddKeys(document).map((offset) => ({ at: position(offset), what: 'a key is no word but a list or a map' })),
  ];
  return {
    data: flaws.length === 0 ? (document.toJS() as unknown) : undefined,
    flaws,
    valueAt: (path) => position(offsetOfValue(document, path)),
    keyAt: (path) => position(offsetOfKey(document, path)),
  };
}

/** A path as people write it: services[0].credential.users. */
export function pathText(path: Path): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('');
}

/** Aliases would make one mistake stand in two places. */
function aliases(document: Document): readonly number[] {
  const offsets: number[] = [];
  visit(document, { Alias: (_, node) => void offsets.push(node.range?.[0] ?? 0) });
  return offsets;
}

/** They would become texts, with a warning of the parser that repeats them on stderr. */
function oddKeys(document: Document): readonly number[] {
  const offsets: number[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (isCollection(key)) offsets.push(key.range?.[0] ?? 0);
    },
  });
  return offsets;
}

function flawText(code: string): string {
  return flawTexts.get(code) ?? `is not YAML here (${code.toLowerCase().replaceAll('_', ' ')})`;
}

/** The parser's own messages may quote the text, and a text may hold what is none of a log's business. */
const flawTexts: ReadonlyMap<string, string> = new Map([
  ['DUPLICATE_KEY', 'the same key stands twice in one map'],
  ['TAB_AS_INDENT', 'a tab is used for indentation; use spaces'],
  ['BAD_INDENT', 'the indentation fits nothing above it'],
  ['MISSING_CHAR', 'a closing quote, bracket or comma is missing'],
  ['MULTIPLE_DOCS', 'there is more than one document in the file'],
  ['TAG_RESOLVE_FAILED', 'a tag (!…) is used; none is known'],
]);

function offsetOfValue(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (hasRange(node)) return node.range[0];
  }
  return 0;
}

function offsetOfKey(document: Document, path: Path): number {
  const parent = document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
    if (hasRange(pair?.key)) return pair.key.range[0];
  }
  return offsetOfValue(document, path);
}

function hasRange(node: unknown): node is { readonly range: readonly [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}
