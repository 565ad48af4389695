import type { Figure } from './figure.ts';

/** One benchmark or proof, loaded only when it runs. */
export interface Measure {
  readonly name: string;
  /** What it measures, in a few words. */
  readonly about: string;
  readonly run: () => Promise<readonly Figure[]>;
}

/** Where figures and progress go. */
export interface Streams {
  /** Figures. */
  readonly out: (line: string) => void;
  /** Progress and errors. */
  readonly err: (line: string) => void;
}

/**
 * Runs the measures named in `words`, or all, one after the other. With `--output json` the figures are one line each,
 * as JSON; else a table. Answers the exit code: 1 where a figure is not ok, a measure failed, or a word is unknown.
 */
export async function runMeasures(
  measures: readonly Measure[],
  words: readonly string[],
  streams: Streams,
): Promise<number> {
  const asked = readWords(words, measures);
  if ('wrong' in asked) {
    streams.err(asked.wrong);
    return 1;
  }
  let failed = 0;
  for (const measure of asked.chosen) {
    streams.err(`${measure.name}: ${measure.about} …`);
    const figures = await figuresOf(measure, streams);
    for (const figure of figures) streams.out(asked.json ? jsonLine(figure) : textLine(figure));
    failed += figures.filter(({ ok }) => !ok).length + (figures.length === 0 ? 1 : 0);
  }
  return failed === 0 ? 0 : 1;
}

type Asked = { readonly chosen: readonly Measure[]; readonly json: boolean } | { readonly wrong: string };

function readWords(words: readonly string[], measures: readonly Measure[]): Asked {
  const output = words.flatMap((word, at) =>
    word === '--output' ? [words[at + 1] ?? ''] : (/^--output=(.*)$/.exec(word)?.slice(1) ?? []),
  );
  if (output.some((format) => format !== 'json' && format !== 'text')) return { wrong: '--output is text or json.' };
  const names = words.filter((word, at) => !word.startsWith('--output') && words[at - 1] !== '--output');
  const known = measures.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) return { wrong: `${unknown.join(', ')}: not known. There is: ${known.join(', ')}.` };
  return {
    chosen: measures.filter(({ name }) => names.length === 0 || names.includes(name)),
    json: output.at(-1) === 'json',
  };
}

async function figuresOf(measure: Measure, streams: Streams): Promise<readonly Figure[]> {
  try {
    const figures = await measure.run();
    if (figures.length === 0) streams.err(`${measure.name}: gave no figure`);
    return figures;
  } catch (error) {
    streams.err(`${measure.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return [];
  }
}

function jsonLine({ name, value, unit, limit, ok }: Figure): string {
  return JSON.stringify({ name, value, unit, limit, ok });
}

function textLine({ name, value, unit, limit, ok }: Figure): string {
  const shown = Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(2);
  const bound = limit === null ? '' : `(limit ${limit})`;
  return `${ok ? 'ok    ' : 'NOT OK'}  ${name.padEnd(36)} ${shown.padStart(12)} ${unit.padEnd(12)} ${bound}`.trimEnd();
}
