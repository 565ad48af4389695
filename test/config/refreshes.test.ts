import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { refresh } from '../../shared/config/refreshes.ts';

const schema = refresh((path) => `/etc/lockkeeper/${path}`, z.strictObject({ file: z.string() }));
const problems = (entry: unknown) =>
  schema.safeParse(entry).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];

describe('a receiver in the configuration', () => {
  test.each([
    [
      { kind: 'http', name: 'web', url: 'https://web.internal/reload', key: { file: 'web.key' } },
      {
        kind: 'http',
        name: 'web',
        url: 'https://web.internal/reload',
        key: { file: 'web.key' },
        timeout: { ms: 15_000 },
      },
    ],
    [
      { kind: 'aws-event', name: 'apps' },
      { kind: 'aws-event', name: 'apps', bus: 'default' },
    ],
    [
      { kind: 'command', name: 'reload', run: ['systemctl', 'reload', 'app'], timeout: '5m' },
      { kind: 'command', name: 'reload', run: ['systemctl', 'reload', 'app'], timeout: { ms: 300_000 } },
    ],
  ])('is read with what it leaves out: %j', (entry, read) => {
    expect(schema.parse(entry)).toEqual(read);
  });

  test('names a program beside the file by a path, and one in PATH by its name; its words stay as they are', () => {
    const run = (words: readonly string[]) => schema.parse({ kind: 'command', name: 'x', run: words });
    expect(run(['bin/reload', 'a/b', ''])).toMatchObject({ run: ['/etc/lockkeeper/bin/reload', 'a/b', ''] });
    expect(run(['reload'])).toMatchObject({ run: ['reload'] });
  });

  test.each([
    [{ kind: 'memory', name: 'x' }, 'kind Invalid'],
    [{ kind: 'http', name: 'x', url: 'http://web.internal/', key: { file: 'k' } }, 'url is not https'],
    [{ kind: 'http', name: 'x', url: 'https://web.internal/?key=1', key: { file: 'k' } }, 'url is not https'],
    [{ kind: 'http', name: 'x', url: 'https://web.internal/' }, 'key '],
    [{ kind: 'http', name: 'X', url: 'https://web.internal/', key: { file: 'k' } }, 'name is not a name'],
    [{ kind: 'aws-event', name: 'x', bus: 'a bus' }, 'bus is not the name'],
    [{ kind: 'aws-event', name: 'x', bus: 'arn:aws:sns:eu-west-1:111122223333:topic' }, 'bus is not the name'],
    [{ kind: 'command', name: 'x', run: ['a'], timeout: '0s' }, 'timeout is not between'],
    [{ kind: 'command', name: 'x', run: ['a'], timeout: '9w' }, 'timeout is not between'],
    [{ kind: 'command', name: 'x', run: ['a'], timeout: 'soon' }, 'timeout is not a duration'],
    [{ kind: 'command', name: 'x', run: [] }, 'run.0 '],
    [{ kind: 'command', name: 'x', run: [''] }, 'run.0 is empty'],
    [{ kind: 'command', name: 'x', run: ['a', 'b\0c'] }, 'run.1 has a NUL'],
    [{ kind: 'command', name: 'x', run: 'systemctl reload app' }, 'run '],
  ])('that is wrong says where: %j', (entry, problem) => {
    expect(problems(entry)).toEqual([expect.stringContaining(problem)]);
  });
});
