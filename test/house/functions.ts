import { parseSync } from '@swc/core';
import type { SourceFile } from './sources.ts';

/** A function and how long it is. */
export interface FunctionSize {
  /** Where it begins, as path:line. */
  readonly at: string;
  /** Lines with code that belong to it and not to a function inside it; a line shared by both counts once here. */
  readonly ownLines: number;
}

/** Every function, method and arrow function of a file. Throws where the file is no TypeScript. */
export function functionSizes({ path, text }: SourceFile): readonly FunctionSize[] {
  // Offsets of the parser count bytes on from earlier files; an empty statement in front tells where this one begins.
  const bytes = Buffer.from(`;${text}`);
  const tree = parseSync(bytes.toString(), { syntax: 'typescript', target: 'es2022' });
  const begin = tree.body[0]?.span.start ?? 0;
  const lineOf = (offset: number) =>
    bytes
      .subarray(0, offset - begin)
      .toString()
      .split('\n').length;
  const spans = functionSpans(tree).map(({ start, end }) => ({ from: lineOf(start), to: lineOf(end) }));
  const hasCode = codeLines(text);
  return spans.map((span) => ({ at: `${path}:${span.from}`, ownLines: ownLines(span, spans, hasCode) }));
}

interface Lines {
  readonly from: number;
  readonly to: number;
}

function ownLines(span: Lines, all: readonly Lines[], hasCode: readonly boolean[]): number {
  const inner = all.filter((one) => one !== span && one.from >= span.from && one.to <= span.to && one.to > one.from);
  const belongs = (line: number) => !inner.some((one) => line > one.from && line <= one.to);
  let count = 0;
  for (let line = span.from; line <= span.to; line += 1) if (hasCode[line] === true && belongs(line)) count += 1;
  return count;
}

/** By line from 1: is there anything but white space and comments? */
function codeLines(text: string): readonly boolean[] {
  return [false, ...text.split('\n').map((line) => !/^\s*($|\/\/|\/\*|\*)/.test(line))];
}

const kinds = new Set([
  'ArrowFunctionExpression',
  'ClassMethod',
  'Constructor',
  'FunctionDeclaration',
  'FunctionExpression',
  'GetterProperty',
  'MethodProperty',
  'PrivateMethod',
]);

/** Spans of all functions in a tree. A method's function is the method itself. */
function functionSpans(node: unknown): readonly { readonly start: number; readonly end: number }[] {
  if (typeof node !== 'object' || node === null) return [];
  const inner = Object.values(node).flatMap(functionSpans);
  if (!('type' in node) || typeof node.type !== 'string' || !kinds.has(node.type)) return inner;
  return 'span' in node && isSpan(node.span) ? [node.span, ...inner] : inner;
}

function isSpan(span: unknown): span is { readonly start: number; readonly end: number } {
  return typeof span === 'object' && span !== null && 'start' in span && 'end' in span;
}
