import { expect, test } from '@jest/globals';
import { runEndings } from '../../functions/local/endings.ts';

test('what was opened is closed in reverse, all of it also where one fails, and once', async () => {
  const closed: string[] = [];
  const end = (name: string, failure?: string) => async () => {
    closed.push(name);
    if (failure !== undefined) throw new Error(failure);
  };
  const endings = [end('gate'), end('log', 'the log is away'), end('page', 'the page hangs')];
  await expect(runEndings(endings)).rejects.toThrow('the page hangs');
  expect(closed).toEqual(['page', 'log', 'gate']);
  await runEndings(endings);
  expect(closed).toHaveLength(3);
});
