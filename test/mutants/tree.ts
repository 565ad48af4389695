import { spawn } from 'node:child_process';
import { chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** At the top; a folder of such a name inside is the project's own. */
const leftOut = new Set(['node_modules', '.git', '.lockkeeper', '.judges', 'cdk.out', 'coverage']);
const longestRunMs = 240_000;

/** How a run of tests ended. */
export interface TestRun {
  readonly outcome: 'passed' | 'failed' | 'timed-out';
  /** What jest wrote. */
  readonly text: string;
}

/** A copy of the project in which faults may be seeded; the packages are shared with it. */
export class Tree {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Copies the project as it lies there, changes not yet committed included. */
  static async copy(): Promise<Tree> {
    const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-mutants-'));
    // The second account of an attack runs commands out of it.
    await chmod(directory, 0o755);
    await cp(root, directory, { recursive: true, filter: (path) => !leftOut.has(relative(root, path)) });
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
    return new Tree(directory);
  }

  /**
   * Replaces the one place where `find` stands; throws where it stands nowhere or more than once. Answers how to undo
   * it.
   */
  async patch(file: string, find: string, replace: string): Promise<() => Promise<void>> {
    const path = join(this.#directory, file);
    const text = await readFile(path, 'utf8');
    const places = text.split(find).length - 1;
    if (places !== 1) throw new Error(`${file} holds ${places} times, not once: ${find}`);
    await writeFile(
      path,
      text.replace(find, () => replace),
    );
    return () => writeFile(path, text);
  }

  /** Runs these jest files and no others. A file that is not there is a failure of the run itself and throws. */
  async runTests(files: readonly string[]): Promise<TestRun> {
    for (const file of files) await readFile(join(this.#directory, file));
    return await this.#run([
      '--experimental-vm-modules',
      '--no-warnings',
      'node_modules/jest/bin/jest.js',
      '--bail',
      '--runTestsByPath',
      ...files,
    ]);
  }

  /** Makes one attack of test/proofs/attacks: passed where it failed, as it must. */
  async runAttack(number: number): Promise<TestRun> {
    return await this.#run(['--no-warnings', 'test/proofs/attacks/alone.ts', String(number)]);
  }

  async #run(words: readonly string[]): Promise<TestRun> {
    const child = spawn(process.execPath, words, {
      cwd: this.#directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (text += part));
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, longestRunMs);
    const code = await new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
    clearTimeout(limit);
    if (isLate) return { outcome: 'timed-out', text };
    return { outcome: code === 0 ? 'passed' : 'failed', text };
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true });
  }
}
