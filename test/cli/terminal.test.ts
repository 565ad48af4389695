import { describe, expect, test } from '@jest/globals';
import { printError } from '../../functions/cli/print-error.ts';
import { hostTerminal } from '../../functions/cli/terminal.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { memoryHost } from './memory-host.ts';

describe('Ctrl-C', () => {
  test('asks for a stop at the next safe place, and makes the exit code 130', () => {
    const host = memoryHost([]);
    const terminal = hostTerminal(host, false);
    expect(terminal.ends(0)).toBe(0);
    host.signal('SIGINT');
    expect(terminal.signal.aborted).toBe(true);
    expect(terminal.ends(0)).toBe(130);
    expect(host.exits).toEqual([]);
  });

  test('pressed twice ends the process at once', () => {
    const host = memoryHost([]);
    hostTerminal(host, false);
    host.signal('SIGINT');
    host.signal('SIGINT');
    expect(host.exits).toEqual([130]);
  });

  test('is not what SIGTERM is: that stops too, and the verb says how it ended', () => {
    const host = memoryHost([]);
    const terminal = hostTerminal(host, false);
    host.signal('SIGTERM');
    expect(terminal.signal.aborted).toBe(true);
    expect(terminal.ends(0)).toBe(0);
  });
});

test('a reader that goes away is no error: nothing more is written, and work stops', () => {
  const host = memoryHost([]);
  const terminal = hostTerminal(host, false);
  terminal.out('one');
  host.closeOut();
  terminal.out('two');
  terminal.err('three');
  expect(host.out()).toBe('one\n');
  expect(host.err()).toBe('three\n');
  expect(terminal.signal.aborted).toBe(true);
});

test('signs that steer a terminal are told as JSON tells them, in data and in errors; lines stay lines', () => {
  const host = memoryHost([]);
  const terminal = hostTerminal(host, false);
  terminal.out('one\u001B[31m\ntwo \u202Eowt\u{E0001} späß 日本 👍🏽');
  terminal.out(JSON.stringify({ text: 'a\u007F\u202Eb' }));
  printError(new LockkeeperError('not-found', 'there is no \u001B]0;title\u0007'), terminal);
  expect(host.out()).toBe('one\\u001b[31m\ntwo \\u202eowt\\udb40\\udc01 späß 日本 👍🏽\n{"text":"a\\u007f\\u202eb"}\n');
  expect(host.err()).toBe('lockkeeper: there is no \\u001b]0;title\\u0007\n  code: not-found\n');
});

test('with --output json a line is equal JSON, with no sign in it that hides or turns anything', () => {
  const host = memoryHost([]);
  const said = { 'a\u200F': 'x\u202E\u009B31m\\\u2066 "\u{E0041}\n', deep: [{ b: '\u2028\ud800' }] };
  hostTerminal(host, true).out(JSON.stringify(said, null, 1));
  expect(JSON.parse(host.out())).toEqual(said);
  expect(host.out()).toMatch(/^[\n\x20-\x7e]+$/);
});

describe('an error', () => {
  const printed = (error: unknown, json = false): string => {
    const host = memoryHost([]);
    printError(error, hostTerminal(host, json));
    return host.err();
  };

  test('is told with every cause of lockkeeper’s own', () => {
    const cause = new LockkeeperError('unreachable', 'db:5432 does not answer');
    const text = printed(new LockkeeperError('denied', 'cannot rotate orders-db', { cause, hint: 'Start it.' }));
    expect(text).toBe(
      'lockkeeper: cannot rotate orders-db\n  why:  db:5432 does not answer (unreachable)\n  do:   Start it.\n  code: denied\n',
    );
  });

  test('of somebody else is told by its name and code only: its text may quote what it failed to read', () => {
    const planted = new PlantedSecret();
    const foreign = Object.assign(new SyntaxError(`Unexpected token in "${planted.bare()}"`), { code: 'ERR_X' });
    for (const json of [false, true]) {
      const text = printed(new LockkeeperError('invalid', 'the secret is no JSON', { cause: foreign }), json);
      const bug = printed(foreign, json);
      expect(text).toContain('SyntaxError ERR_X');
      expect(bug).toContain('bug');
      planted.search('an error', text).search('a bug', bug);
    }
    planted.expectNowhere();
  });

  test('whose causes go round in a circle is still told', () => {
    const one = new Error('one');
    const two = new Error('two', { cause: one });
    one.cause = two;
    expect(printed(new LockkeeperError('bug', 'x', { cause: one }))).toContain('code: bug');
  });
});
