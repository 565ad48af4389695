import { EventEmitter } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readValue } from '../../functions/cli/read-value.ts';
import { runCommand } from '../../functions/cli/run-command.ts';
import { Sealed } from '../../shared/base/sealed.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-exec-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** Runs a line of shell, which may write to $OUT; answers its exit code, what it wrote, and what was told. */
function shell(line: string, own = ownProcess(), program = '/bin/sh') {
  const out = join(directory, `out-${Math.random()}`);
  const told: string[] = [];
  const run = runCommand(
    {
      command: [program, '-c', line],
      environment: { PATH: process.env['PATH'], OUT: out, PGSERVICE: 'elsewhere' },
      variables: new Map([
        ['PGPASSWORD', new Sealed(`a "b" $c 'd'`)],
        ['PGSERVICE', undefined],
      ]),
      tell: (text) => told.push(text),
    },
    own,
  );
  return { run, told, wrote: () => readFile(out, 'utf8').catch(() => '') };
}

/** This process, as far as signals go. */
function ownProcess(isTTY = false) {
  return Object.assign(new EventEmitter(), { stdin: { isTTY } });
}

describe('a command that is run with a login', () => {
  test('has it in its environment, ends as it ends, and has no word of it in its own words', async () => {
    const { run, wrote } = shell(
      'printf %s "$PGPASSWORD|${PGSERVICE-none}|" > $OUT; tr "\\0" " " < /proc/$$/cmdline >> $OUT; exit 7',
    );
    expect(await run).toBe(7);
    const [password, service, words] = (await wrote()).split('|');
    expect([password, service]).toEqual([`a "b" $c 'd'`, 'none']);
    expect(words).not.toContain('$c');
  });

  test('that a signal ended ends with 128 and its number', async () => {
    expect(await shell('kill -KILL $$').run).toBe(137);
  });

  test('gets signals passed on, and what was waiting for them does nothing any more', async () => {
    const own = ownProcess();
    let stopped = 0;
    own.on('SIGTERM', () => (stopped += 1));
    const { run, wrote } = shell('trap "echo term > $OUT; exit 5" TERM; echo ready > $OUT; while :; do sleep 0.02; done', own);
    while ((await wrote()) !== 'ready\n') await pause(10);
    own.emit('SIGTERM', 'SIGTERM');
    expect(await run).toBe(5);
    expect([await wrote(), stopped]).toEqual(['term\n', 0]);
  }); // prettier-ignore

  test('is not sent again what a person pressed at its own terminal', async () => {
    const own = ownProcess(true);
    const { run, wrote } = shell('trap "echo $? int > $OUT" INT; echo ready > $OUT; sleep 0.3; exit 0', own);
    while ((await wrote()) !== 'ready\n') await pause(10);
    own.emit('SIGINT', 'SIGINT');
    expect(await run).toBe(0);
    expect(await wrote()).toBe('ready\n');
  });

  test('that is not there ends with 127, that is no program with 126, and the reason is told', async () => {
    const missing = shell('', ownProcess(), '/no/such/program');
    expect([await missing.run, missing.told]).toEqual([
      127,
      ['/no/such/program cannot be run: there is no such program'],
    ]);
    const folder = shell('', ownProcess(), directory);
    expect([await folder.run, folder.told]).toEqual([
      126,
      [`${directory} cannot be run: it is no program, or this account may not run it`],
    ]);
  });
});

describe('a value', () => {
  const asked = async (input: PassThrough, signal = new AbortController().signal) => {
    const shown: string[] = [];
    const interrupts: string[] = [];
    const prompt = { text: 'Password: ', show: (text: string) => shown.push(text), interrupt: () => interrupts.push('!') };
    const answer = readValue(input, { ...prompt, signal });
    return { answer, shown, interrupts };
  }; // prettier-ignore
  const piped = (...parts: readonly (string | Uint8Array)[]) => {
    const input = new PassThrough();
    for (const part of parts) input.write(part);
    return input.end();
  };
  const typing = () => Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });

  test('that is piped loses one line end and nothing else', async () => {
    for (const [text, expected] of [
      ['pass word\n', 'pass word'],
      ['päss\r\n', 'päss'],
      [' two\n\n', ' two\n'],
      ['\ufeffbom', '\ufeffbom'],
      ['none', 'none'],
    ] as const) {
      const { answer, shown } = await asked(piped(text));
      expect((await answer).open()).toBe(expected);
      expect(shown).toEqual([]);
    }
  });

  test.each([
    ['nothing', ''],
    ['a line end alone', '\n'],
    ['no UTF-8', new Uint8Array([0x70, 0xff, 0xfe])],
  ])('that is %s is invalid', async (_, bytes) => {
    const { answer } = await asked(piped(bytes));
    await expect(answer).rejects.toMatchObject({ code: 'invalid' });
  });

  test('that is typed is asked for, edited, and never shown', async () => {
    const input = typing();
    const { answer, shown } = await asked(input);
    input.write('hunter3');
    input.write('\u007f');
    input.write('2é "\r');
    expect((await answer).open()).toBe('hunter2é "');
    expect(shown).toEqual(['Password: ', '\n']);
  });

  test('can be given up with Ctrl-C and with Ctrl-D', async () => {
    const stop = new AbortController();
    const input = typing();
    const first = await asked(input, stop.signal);
    input.write('half\u0003');
    await pause(20);
    expect(first.interrupts).toEqual(['!']);
    stop.abort();
    await expect(first.answer).rejects.toBe(stop.signal.reason);
    const other = typing();
    const second = await asked(other);
    other.write('\u0004');
    await expect(second.answer).rejects.toMatchObject({ code: 'invalid' });
  });
});
