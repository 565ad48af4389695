import { entryTable, jsonOf } from '../../../functions/cli/entry-table.ts';
import { run } from '../../../functions/cli/main.ts';
import { printError } from '../../../functions/cli/print-error.ts';
import { hostTerminal } from '../../../functions/cli/terminal.ts';
import { csvTable } from '../../../shared/audit/export/csv.ts';
import { encodeEntry, decodeEntry, firstPrevious, type Entry } from '../../../shared/audit/entries/codec.ts';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { parseInstant } from '../../../shared/base/time.ts';
import { memoryHost } from '../../cli/memory-host.ts';
import { mustHold, type Attack } from './attack.ts';
import { hostileTexts, isHidden } from './parts/hidden-signs.ts';
import { pageShows } from './parts/shown-page.ts';

async function attempt(): Promise<string> {
  const texts = hostileTexts();
  const lines = await terminalLines(texts);
  const cells = await csvCells(texts);
  const shown = await pageShows(texts);
  return `${texts.length} texts with direction marks, controls, invisible signs and floods of marks: ${lines} lines of terminal and JSON, ${cells} cells and ${shown} places of the page in a real browser show each as escapes, in the order in which it stands; names in Hebrew and Arabic stay readable`;
}

/** Every way of the command line to a terminal; with --output json what is printed is equal JSON. */
async function terminalLines(texts: readonly string[]): Promise<number> {
  let count = 0;
  for (const text of texts) {
    for (const json of [false, true]) {
      const host = memoryHost([]);
      const terminal = hostTerminal(host, json);
      const entry = { ...entryOf(text), index: 7 };
      for (const line of entryTable([entry])) terminal.out(line);
      const forged = entryTable([{ ...entryOf(`${text}\n8      2026-11-22  forged`), index: 7 }]);
      mustHold(
        !forged.some((line) => line.includes('\n')),
        `a table has a line of its own for ${JSON.stringify(text)}`,
      );
      terminal.err(`warning: ${text}`);
      printError(
        new LockkeeperError('invalid', `cannot: ${text}`, { hint: text, cause: new LockkeeperError('denied', text) }),
        terminal,
      );
      mustBeVisible(host.out() + host.err(), text, 'the terminal');
      const data = memoryHost([]);
      hostTerminal(data, json).out(JSON.stringify(jsonOf(entry)));
      mustBeVisible(data.out(), text, 'JSON');
      if (JSON.stringify(JSON.parse(data.out())) !== JSON.stringify(jsonOf(entry))) throw new Error('it is other JSON');
      // The data itself stays as it was.
      if (entry.event.subject.id !== text.toWellFormed()) throw new Error('the entry was changed');
      count += host.out().split('\n').length + host.err().split('\n').length;
    }
    const words = memoryHost([`x${text}`, 'verb']);
    await run(words);
    mustBeVisible(words.out() + words.err(), text, 'an unknown word');
    const file = memoryHost(['flows', `/nowhere/${text.replaceAll('\0', '')}`]);
    await run(file);
    mustBeVisible(file.out() + file.err(), text, 'the name of a file');
  }
  return count;
}

async function csvCells(texts: readonly string[]): Promise<number> {
  let written = '';
  const draft = {
    file: '',
    append: async (text: string) => void (written += text),
    keep: async () => undefined,
    drop: async () => undefined,
  };
  const unused = async (): Promise<never> => {
    throw new Error('a table only drafts');
  };
  const folder = {
    where: '',
    objects: undefined,
    names: unused,
    put: unused,
    remove: unused,
    settle: unused,
    begin: unused,
    end: unused,
    draft: async () => draft,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a table uses nothing of a folder but its drafts
  const table = await csvTable(folder as unknown as Parameters<typeof csvTable>[0]);
  await table.add(texts.map((text, index) => ({ index, entry: entryOf(text), bytes: new Uint8Array() })));
  await table.end();
  mustBeVisible(written.replaceAll('\r\n', '\n'), 'all', 'the CSV');
  if (written.split('\r\n').length !== texts.length + 2) throw new Error('the CSV has not a line for each entry');
  return texts.length * 3;
}

/** As it comes back from the log. */
function entryOf(text: string): Entry {
  const event = {
    action: 'closing.propose',
    stage: 'fact' as const,
    subject: { kind: 'opening' as const, id: text.toWellFormed() },
    actor: text.toWellFormed(),
    correlation: 'x',
    details: { description: text.toWellFormed(), [text.toWellFormed()]: 1 },
  };
  const at = parseInstant('2026-11-22T00:00:00Z');
  return decodeEntry(encodeEntry({ run: 'r', n: 0, previous: firstPrevious, id: 'i', at, event }).bytes);
}

function mustBeVisible(shown: string, text: string, where: string): void {
  const raw = Array.from(shown.replaceAll('\n', '')).find(isHidden);
  mustHold(
    raw === undefined,
    `${where} shows ${JSON.stringify(text)} with U+${raw?.codePointAt(0)?.toString(16) ?? ''} in it`,
  );
  mustHold(!/\p{M}{5}/u.test(shown), `${where} shows a flood of marks`);
}

/** Whoever may write a rule's description makes page, terminal and JSON show another text than there is. */
export const attack: Attack = {
  number: 13,
  about: 'signs in foreign texts that hide, steer or turn what is shown',
  run: attempt,
  switchedBack: [
    { name: 'format-signs', file: 'shared/base/visible.ts', find: '\\p{Cc}\\p{Cf}', replace: '\\p{Cc}' },
    { name: 'controls', file: 'shared/base/visible.ts', find: '\\p{Cc}\\p{Cf}', replace: '\\p{Cf}' },
    { name: 'fillers', file: 'shared/base/visible.ts', find: '\\p{Default_Ignorable_Code_Point}', replace: '' },
    { name: 'marks', file: 'shared/base/visible.ts', find: '(?<=\\p{M}{4})\\p{M}+|', replace: '' },
    {
      name: 'terminal',
      file: 'functions/cli/terminal.ts',
      find: 'const shown = visibleLines(line);',
      replace: 'const shown = line;',
    },
    {
      name: 'table',
      file: 'functions/cli/entry-table.ts',
      find: "    said.join(' '),\n  ].map(visible);",
      replace: "    said.join(' '),\n  ];",
    },
    {
      name: 'words',
      file: 'functions/cli/program.ts',
      find: 'visibleLines(withoutValues(text))',
      replace: 'withoutValues(text)',
    },
    {
      name: 'csv',
      file: 'shared/audit/export/csv.ts',
      find: '].map(visible);',
      replace: '];',
    },
    {
      name: 'page',
      file: 'shared/approvals/page.ts',
      find: 'return isolated(visible(text));',
      replace: 'return isolated(text);',
    },
    {
      name: 'notices',
      file: 'shared/approvals/page.ts',
      find: 'isolated(visibleLines(notice.text))',
      replace: 'isolated(notice.text)',
    },
    {
      name: 'right-to-left',
      file: 'shared/approvals/page.ts',
      find: ".replaceAll(rightToLeftRun, '<bdi>$&</bdi>')",
      replace: '',
    },
  ],
};
