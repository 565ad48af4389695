import { parseEnv } from 'node:util';

/** One KEY=value of a dotenv text. */
export interface EnvLine {
  readonly key: string;
  /** Where the value is, its quotes included. */
  readonly from: number;
  readonly to: number;
  /** The quote around it; empty where there is none. */
  readonly quote: string;
}

/** A dotenv text, so that values can change and every other byte stays. */
export interface EnvText {
  readonly lines: readonly EnvLine[];
  /** What Node reads of it: a key that comes twice has its last value. */
  readonly values: ReadonlyMap<string, string>;
}

/** The parts of `text`; undefined where a line is neither a KEY=value, nor blank, nor a comment. */
export function envText(text: string): EnvText | undefined {
  const lines: EnvLine[] = [];
  const line = new RegExp(linePattern, 'dmy');
  while (line.lastIndex < text.length) {
    const match = line.exec(text);
    if (!match) return undefined;
    const { key, value } = match.groups ?? {};
    if (key === undefined) continue;
    const [from = 0, to = 0] = match.indices?.groups?.['value'] ?? [];
    lines.push({ key, from, to, quote: /^['"`]/.exec(value ?? '')?.[0] ?? '' });
  }
  return { lines, values: valuesIn(text) };
}

/** What Node's own reader of dotenv texts reads. */
export function valuesIn(text: string): ReadonlyMap<string, string> {
  return new Map(Object.entries(parseEnv(text)).map(([key, value]) => [key, value ?? '']));
}

/** A blank line or comment, or KEY=value with what may follow it: blanks and a comment. Quoted values may have lines. */
const linePattern = new RegExp(
  String.raw`[ \t]*(?:#[^\n]*|(?:export[ \t]+)?(?<key>[A-Za-z_][\w.-]*)[ \t]*=[ \t]*` +
    String.raw`(?<value>'[^']*'|"(?:\\.|[^"\\])*"|${'`'}[^${'`'}]*${'`'}|(?:(?!\s+#|\s*$)[^\n\r])*)` +
    String.raw`[ \t]*(?:#[^\n]*)?)?\r?(?:\n|(?![^]))`,
);

/**
 * `value` so that readers of dotenv texts agree on it: those of Node, Python, Ruby, Docker Compose and a shell.
 * Undefined where there is no such way. The quote that was there stays where it can.
 *
 * | quote  | readers that differ                                                                  |
 * |--------|--------------------------------------------------------------------------------------|
 * | none   | about # $ ~ and blanks                                                                 |
 * | single | Python and Compose take \' and \\ for one character, the others for two               |
 * | double | about \, and a shell, Ruby and Compose put a variable where a $ is, a shell also at `  |
 */
export function quoted(value: string, quote = ''): string | undefined {
  const ways = [quote, '', "'", '"'].filter((way) => fits[way]?.test(value));
  const [way] = ways;
  return way === undefined ? undefined : way + value + way;
}

const fits: Readonly<Record<string, RegExp | undefined>> = {
  '': /^[\w./:@%+,=-]+$/,
  "'": /^(?:[^'\\\r\0]|\\(?![\\']|$))*$/,
  '"': /^[^"\\$`\r\0]*$/,
};
