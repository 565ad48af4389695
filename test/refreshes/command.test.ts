import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { hasErrno } from '../../shared/base/errno.ts';
import { after } from '../../shared/base/time.ts';
import { commandRefresh, type CommandRefreshOptions } from '../../shared/refreshes/command.ts';
import { news, refreshSuite, type RefreshHarness } from '../conformance/refresh.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

/** A receiver in the shell: it notes what it was given, and behaves as the file `how` says. */
const receiver = `
cp /proc/$$/environ "$1/environ.$$"; cp /proc/$$/cmdline "$1/cmdline.$$"
took() { printf '%s\\0%s\\0' "$LOCKKEEPER_CREDENTIAL" "$LOCKKEEPER_ROTATION" >> "$1/took"; }
case $(cat "$1/how") in
  well) took "$1" ;;
  refuses) echo 'no such consumer' >&2; exit 3 ;;
  silent) took "$1"; sleep 60 & echo $! > "$1/sleeper"; wait ;;
  loses) took "$1"; kill -KILL $$ ;;
esac
`;

let directory: string;
const planted = new PlantedSecret();
const environment = { PATH: process.env['PATH'], PGPASSWORD: planted.bare(), AWS_SECRET_ACCESS_KEY: planted.bare() };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-command-'));
  await writeFile(join(directory, 'receiver.sh'), receiver);
  await writeFile(join(directory, 'how'), 'well');
});
afterEach(async () => await rm(directory, { recursive: true }));

const command = (
  run: CommandRefreshOptions['run'] = ['/bin/sh', join(directory, 'receiver.sh'), directory],
  options: Partial<CommandRefreshOptions> = {},
) => commandRefresh({ name: 'reload', run, environment, world: testWorld(), answerMs: 10_000, ...options });

async function text(name: string): Promise<string> {
  return await readFile(join(directory, name), 'utf8');
}

async function harness(): Promise<RefreshHarness> {
  return {
    one: command(),
    two: command(),
    hasty: command(undefined, { answerMs: 500 }),
    ending(inMs) {
      const world = testWorld();
      world.setDeadline(after(world.now(), inMs));
      return command(undefined, { world });
    },
    async observe() {
      const took = (await readdir(directory)).includes('took') ? (await text('took')).split('\0').slice(0, -1) : [];
      return took.flatMap((credential, at) => (at % 2 === 0 ? [{ credential, rotation: took[at + 1] ?? '' }] : []));
    },
    behave: (manner) => writeFile(join(directory, 'how'), manner),
    planted,
    async sent() {
      const names = (await readdir(directory)).filter((name) => /^(environ|cmdline)\./.test(name));
      return await Promise.all(names.map((name) => readFile(join(directory, name))));
    },
    close: async () => {},
  };
}

refreshSuite('command', harness);

describe('a command', () => {
  test('sees no variable but the two and a few that every program needs', async () => {
    await command().poke(news('db', 'r-1'));
    const [name = ''] = (await readdir(directory)).filter((one) => one.startsWith('environ.'));
    const names = (await text(name)).split('\0').map((line) => line.replace(/=.*/s, ''));
    expect(new Set(names)).toEqual(new Set(['LOCKKEEPER_CREDENTIAL', 'LOCKKEEPER_ROTATION', 'PATH', '']));
  });

  test('gets its words as they are, with no shell between, in /, and no input', async () => {
    const out = join(directory, 'out');
    const script = 'f=$0; printf "%s|" "$@" > "$f"; pwd >> "$f"; cat >> "$f"';
    await command(['sh', '-c', script, out, '$HOME', '', '; id', 'a b', '*']).poke(news('db', 'r-1'));
    expect(await text('out')).toBe('$HOME||; id|a b|*|/\n');
  });

  test('that fails is rejected with the end of what it said, its signs shown', async () => {
    const script = 'yes x | head -c 300000; printf "\\033[2Jwhy: \\342\\200\\256it failed" >&2; exit 7';
    const error = await command(['sh', '-c', script])
      .poke(news('db', 'r-1'))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/exit code 7: .*\\u001b\[2Jwhy: \\u202eit failed/s),
    });
    expect(String(error).length).toBeLessThan(500);
  });

  test('that cannot be started says why', async () => {
    await writeFile(join(directory, 'plain'), 'echo');
    await writeFile(join(directory, 'no-interpreter'), 'echo');
    await chmod(join(directory, 'no-interpreter'), 0o700);
    const cases = [
      [['/no/such/program'], 'not-found'],
      [['no-such-program-anywhere'], 'not-found'],
      [[join(directory, 'plain')], 'denied'],
      [[directory], 'denied'],
      [['sh', 'a\0b'], 'invalid'],
    ] as const;
    for (const [run, code] of cases)
      await expect(command([...run]).poke(news('db', 'r-1'))).rejects.toMatchObject({ code, hint: expect.any(String) });
  });

  test('that ran into its time limit is gone, and so is what it started', async () => {
    await writeFile(join(directory, 'how'), 'silent');
    await expect(command(undefined, { answerMs: 1_500 }).poke(news('db', 'r-1'))).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('within 1500 ms'),
    });
    const sleeper = Number(await text('sleeper'));
    for (let tries = 0; tries < 50 && (await isAlive(sleeper)); tries += 1) await pause(20);
    expect(await isAlive(sleeper)).toBe(false);
  });

  test('that leaves a program running behind it has acknowledged, or failed, when it ends itself', async () => {
    const since = Date.now();
    const leaving = (code: number) => ['sh', '-c', `sleep 20 & echo $! >> ${directory}/left; exit ${code}`] as const;
    await command([...leaving(0)]).poke(news('db', 'r-1'));
    await expect(command([...leaving(1)]).poke(news('db', 'r-1'))).rejects.toMatchObject({ code: 'rejected' });
    expect(Date.now() - since).toBeLessThan(5_000);
    const left = (await text('left')).trim().split('\n').map(Number);
    expect(await Promise.all(left.map(isAlive))).toEqual([true, true]);
    for (const pid of left) process.kill(pid);
  });

  test.each<readonly [program: string, ...words: string[]]>([
    ['sh', '-c', 'exit 1'],
    ['/no/such/program'],
    ['sh', '-c', 'sleep 9'],
  ])('has its words in no error, whoever they are meant for: %s %s %s', async (...run) => {
    const refresh = command([...run, planted.bare()], { answerMs: 300 });
    const error: unknown = await refresh.poke(news('db', 'r-1')).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'LockkeeperError' });
    planted.search(run[0], error).expectNowhere();
  });
});

/** Whether it runs; one that ended and that nobody has asked for yet does not. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    return !/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch (thrown) {
    if (hasErrno(thrown, 'ENOENT', 'ESRCH')) return false;
    throw thrown;
  }
}
