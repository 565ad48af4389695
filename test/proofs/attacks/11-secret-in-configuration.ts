import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../../functions/cli/main.ts';
import { LockkeeperError } from '../../../shared/base/error.ts';
import type { Sealed } from '../../../shared/base/sealed.ts';
import { checkConfig } from '../../../shared/config/check.ts';
import { openReference } from '../../../shared/config/open-reference.ts';
import type { SecretPlace } from '../../../shared/config/references.ts';
import { memoryHost } from '../../cli/memory-host.ts';
import { example } from '../../config/example.ts';
import { mustHold, type Attack } from './attack.ts';
import { plantedConfigs, secrets } from './parts/planted-config.ts';

const planted = secrets[0];

async function attempt(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-attack-'));
  const warned: string[] = [];
  const onWarning = (warning: Error): void => void warned.push(warning.message);
  process.on('warning', onWarning);
  try {
    const texts = await everyPlace(directory);
    const words = await commandLines(directory);
    const references = await everyReference(directory);
    await stillTold(directory);
    // Warnings come a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    mustHold(
      !warned.some((text) => secrets.some((secret) => text.includes(secret))),
      `a warning says ${warned.join()}`,
    );
    return `${texts} configurations with a secret at every place and in every form, ${words} command lines, ${references} references: none repeats it, and each mistake has its line, column and key`;
  } finally {
    process.off('warning', onWarning);
    await rm(directory, { recursive: true });
  }
}

/** All are checked; every fortieth also goes through the command line, as text and as JSON, and through another verb. */
async function everyPlace(directory: string): Promise<number> {
  const file = join(directory, 'lockkeeper.yaml');
  let count = 0;
  for (const { text, secret, how } of plantedConfigs()) {
    const { mistakes } = checkConfig(text, directory);
    const said = JSON.stringify(mistakes);
    mustHold(!said.includes(secret), `${how}: ${said}`);
    // Where a text may be anything, one with a login in it may not: those who use it would repeat it.
    if (
      /postgres:\/\/.*@|\?token=/.test(
        text
          .split('\n')
          .filter((line) => line.includes(secret))
          .join(),
      )
    )
      mustHold(mistakes.length > 0, `${how}: is taken, and repeated by those who use it`);
    count += 1;
    if (count % 40 !== 0 || mistakes.length === 0) continue;
    await writeFile(file, text);
    for (const words of [
      ['config', 'check'],
      ['config', 'check', '--output', 'json'],
      ['rotate', '--all'],
      ['scan', '--output', 'json'],
    ])
      await mustNotRepeat(['--config', file, ...words], secret, how);
  }
  return count;
}

/** What people paste where a file is named, or give to an option that is none. */
async function commandLines(directory: string): Promise<number> {
  const address = `https://lockkeeper:${planted}@config.internal/lockkeeper.yaml`;
  const lines: readonly (readonly string[])[] = [
    ['--config', address, 'config', 'check'],
    ['--config', address, 'config', 'check', '--output', 'json'],
    [`--config=${address}`, 'rotate', '--all'],
    ['--config', `https://config.internal/x?token=${planted}`, 'scan'],
    ['rotate', `--pasword=${planted}`],
    ['rotate', `--pasword=${planted}`, '--output', 'json'],
    [`--conifg=${address}`, 'rotate'],
    ['audit', 'verify', '--store', `s3+${planted}`],
    ['audit', 'verify', '--store', `https://x.blob.core.windows.net:${planted}/c`, '--output', 'json'],
  ];
  for (const words of lines) await mustNotRepeat(words, planted, words.join(' ').replace(planted, 'SECRET'));
  const named = memoryHost(['config', 'check'], { LOCKKEEPER_CONFIG: address }, directory);
  await run(named);
  mustHold(!(named.out() + named.err()).includes(planted), `LOCKKEEPER_CONFIG: ${named.err()}`);
  return lines.length + 1;
}

/** A password put where its place belongs. */
async function everyReference(directory: string): Promise<number> {
  const places = {
    environment: {},
    fromStore: async ({ store, name }: SecretPlace): Promise<Sealed> => {
      throw new LockkeeperError('not-found', `there is no secret ${name} in ${store}`);
    },
  };
  const references = [
    { env: planted },
    { file: join(directory, planted) },
    { file: join('/etc/hostname', planted) },
    { secret: { store: 'main', name: planted } },
    { secret: { store: planted, name: 'x' } },
  ];
  for (const reference of references) {
    const said = await openReference(reference, places).then(
      () => 'it was opened',
      (thrown: unknown) => [thrown, thrown instanceof Error ? [thrown.message, thrown.cause] : ''].map(textOf).join(),
    );
    mustHold(!said.includes(planted), `${JSON.stringify(reference).replace(planted, 'SECRET')}: ${said}`);
  }
  return references.length;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join();
  return value instanceof Error ? `${value.message} ${textOf(value.cause)}` : JSON.stringify(value ?? '');
}

/** What is right stays right, and a mistake is found by what is said of it. */
async function stillTold(directory: string): Promise<void> {
  const { mistakes } = checkConfig(example, directory);
  if (mistakes.length > 0) throw new Error(`the example is refused: ${JSON.stringify(mistakes)}`);
  const wrong = checkConfig(
    example.replace('cloud: aws', 'cloud: asw').replace('network: office', 'network: offcie'),
    '/',
  );
  const said = wrong.mistakes.map(
    ({ line, column, path, what, hint }) => `${line}:${column} ${path} ${what} ${hint ?? ''}`,
  );
  for (const part of [
    '9:12 networks.<name 1>.cloud is not one of: aws',
    'Did you mean "aws"',
    '16:14 services[0].network is not in',
    '(8:3)',
  ])
    if (!said.join('\n').includes(part)) throw new Error(`nothing says ${part}: ${said.join('\n')}`);
}

async function mustNotRepeat(words: readonly string[], secret: string, how: string): Promise<void> {
  const host = memoryHost(words);
  await run(host);
  const said = host.out() + host.err();
  mustHold(
    said !== '' && !said.includes(secret),
    `${how}, lockkeeper ${words.slice(2).join(' ')}: ${said.slice(0, 400)}`,
  );
}

/** A password in the configuration, or in the words that name it, is repeated by an error. */
export const attack: Attack = {
  number: 11,
  about: 'a secret in the configuration is repeated by an error',
  run: attempt,
  switchedBack: [
    {
      name: 'values',
      file: 'shared/config/mistakes.ts',
      find: 'return `is ${kindOf(value)}, not',
      replace: 'return `${JSON.stringify(value)} is ${kindOf(value)}, not',
    },
    {
      name: 'words',
      file: 'shared/config/mistakes.ts',
      find: 'const what = `is not ${allowed',
      replace: 'const what = `${JSON.stringify(value)} is not ${allowed',
    },
    {
      name: 'keys',
      file: 'shared/config/shown-path.ts',
      find: 'const isKnown = shapeAt(schema, above).keys.includes(step);',
      replace: 'const isKnown = above.length >= 0 || shapeAt(schema, above).keys.includes(step);',
    },
    {
      name: 'names',
      file: 'shared/config/cross-checks.ts',
      find: 'what: `is not in',
      replace: 'what: `${written} is not in',
    },
    {
      name: 'warnings',
      file: 'shared/config/source.ts',
      find: 'if (isCollection(key)) offsets',
      replace: 'if (isCollection(key) && offsets.length > 0) offsets',
    },
    {
      name: 'logins',
      file: 'shared/config/check.ts',
      find: 'const found = [...wrong, ...loginMistakes(source.data, wrong)];',
      replace: 'const found = [...wrong, ...loginMistakes(undefined, wrong)];',
    },
    {
      name: 'references',
      file: 'shared/config/open-reference.ts',
      find: "'the environment variable that `env` names is not set'",
      replace: "`the environment variable ${reference.env ?? ''} is not set`",
    },
    {
      name: 'named-file',
      file: 'shared/base/without-logins.ts',
      find: ".replaceAll(/(?<=:\\/{1,2})[^\\s/]*@/g, '[withheld]@')",
      replace: '',
    },
    {
      name: 'options',
      file: 'functions/cli/program.ts',
      find: "text.replaceAll(/(--[\\w-]+=)[^'\\n]*/g, '$1…')",
      replace: 'text',
    },
    {
      name: 'stores',
      file: 'shared/config/store-url.ts',
      find: "'what was given is no address of a store in a cloud'",
      replace: '`${text} is no address of a store in a cloud`',
    },
  ],
};
