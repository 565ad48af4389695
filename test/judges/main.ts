import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { asLockkeeperError } from '../../shared/base/error.ts';
import { root } from '../house/sources.ts';
import { installed, isInstalled } from './installed.ts';
import { judges, type JudgeName } from './judges.ts';

const isJudge = (word: string): word is JudgeName => Object.hasOwn(judges, word);

/**
 * Installs the judges named in `words`, or all, and runs their files; jest is given the words that begin with "--".
 * Answers the exit code.
 */
async function main(given: readonly string[]): Promise<number> {
  const words = given.filter((word) => !word.startsWith('--'));
  const unknown = words.filter((word) => !isJudge(word));
  if (unknown.length > 0)
    return complain(`${unknown.join(', ')}: not known. There is: ${Object.keys(judges).join(', ')}.`);
  const chosen = Object.keys(judges)
    .filter(isJudge)
    .filter((name) => words.length === 0 || words.includes(name));
  const missing = new Set<JudgeName>();
  for (const name of chosen) if (!(await make(name))) missing.add(name);
  const code = await judge(
    chosen.filter((name) => !missing.has(name)),
    given.filter((word) => word.startsWith('--')),
  );
  return missing.size === 0 ? code : complain(`NOT JUDGED, for want of an installation: ${[...missing].join(', ')}`);
}

/** False, and told why, where it cannot be installed: the others judge all the same. */
async function make(name: JudgeName): Promise<boolean> {
  if (isInstalled(name)) return true;
  const { version, about } = judges[name];
  console.error(`${name} ${version}: installing (${about}) …`);
  const began = performance.now();
  try {
    await installed(name);
  } catch (thrown) {
    const { message, hint } = asLockkeeperError(thrown);
    console.error(hint === undefined ? message : `${message}\n${hint}`);
    return false;
  }
  console.error(`${name} ${version}: installed in ${Math.round((performance.now() - began) / 1000)} s`);
  return true;
}

async function judge(names: readonly JudgeName[], options: readonly string[]): Promise<number> {
  const files = names.map((name) => join('test', 'judges', `${name}.judge.ts`));
  const words = [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--config',
    'test/judges/jest.config.ts',
    ...options,
    '--runTestsByPath',
    ...files,
  ];
  const child = spawn(process.execPath, words, { cwd: root, stdio: 'inherit' });
  return await new Promise((resolve, reject) => child.on('exit', (code) => resolve(code ?? 1)).on('error', reject));
}

function complain(text: string): number {
  console.error(text);
  return 1;
}

process.exitCode = await main(process.argv.slice(2));
