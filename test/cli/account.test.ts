import { hostname, userInfo } from 'node:os';
import { expect, test } from '@jest/globals';
import { accountAtTerminal, accountName } from '../../functions/cli/account.ts';

test('the account at the terminal is the one that the machine knows', () => {
  expect(accountAtTerminal()).toBe(`${userInfo().username}@${hostname()}`);
});

test('an account without a name, as in containers, is told by its number and stops nothing', () => {
  const nameless = () => {
    throw Object.assign(new Error('uv_os_get_passwd returned ENOENT (no such file or directory)'), {
      name: 'SystemError',
      code: 'ERR_SYSTEM_ERROR',
    });
  };
  expect(accountName(nameless)).toBeUndefined();
  expect(accountAtTerminal(nameless)).toBe(`${process.getuid?.()}@${hostname()}`);
});
