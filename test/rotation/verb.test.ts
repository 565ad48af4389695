import { describe, expect, test } from '@jest/globals';
import type { Terminal } from '../../functions/cli/io.ts';
import { rotateVerb, type RotateDeps } from '../../functions/cli/rotate.ts';
import type { RotateOptions } from '../../functions/cli/rotate-choice.ts';
import { firstValue, makePlace, type Place } from './place.ts';

interface Heard extends Terminal {
  readonly lines: string[];
}

function listening(json = false, signal = new AbortController().signal): Heard {
  const lines: string[] = [];
  return { lines, json, signal, out: (line) => void lines.push(line), err: () => undefined };
}

function depsOf(place: Place): RotateDeps {
  const { plan, service, stores, ...shared } = place.deps();
  return { ...shared, credentials: [{ plan, service, stores }] };
}

describe('lockkeeper rotate', () => {
  test('rotates what is named and says what it did and what it waits for', async () => {
    const place = await makePlace();
    const terminal = listening();
    expect(await rotateVerb(['app-db'], { now: true }, depsOf(place), terminal)).toBe(0);
    expect(terminal.lines[0]).toMatch(/^app-db: waiting \(draining\): consumers may hold the old value until /);
    expect(terminal.lines).toContain('  publish in two/app/db');
  });

  test('tells the log in every entry from which account it was ordered', async () => {
    const place = await makePlace();
    await rotateVerb(['app-db'], { now: true }, { ...depsOf(place), account: 'ann@laptop' }, listening());
    expect([...new Set(place.log.events.map(({ details }) => details['account']))]).toEqual(['ann@laptop']);
  });

  test('prints one JSON object with --output json, and no value in it', async () => {
    const place = await makePlace();
    const terminal = listening(true);
    await rotateVerb([], { all: true }, depsOf(place), terminal);
    await rotateVerb(['app-db'], { now: true }, depsOf(place), terminal);
    const [idle, waiting] = terminal.lines.map((line): unknown => JSON.parse(line));
    expect(idle).toMatchObject({ rotations: [{ credential: 'app-db', outcome: 'idle' }] });
    expect(waiting).toMatchObject({ rotations: [{ outcome: 'waiting', until: '2026-10-01T02:00:00Z' }] });
    for (const value of [firstValue, place.consumer('one').value.open()])
      expect(terminal.lines.join('\n')).not.toContain(value);
  });

  test('rehearses and adopts without touching the service or the stores', async () => {
    const place = await makePlace();
    const terminal = listening();
    expect(await rotateVerb(['app-db'], { rehearse: true }, depsOf(place), terminal)).toBe(0);
    expect(await rotateVerb(['app-db'], { adopt: true }, depsOf(place), terminal)).toBe(0);
    expect(terminal.lines.join('\n')).toMatch(
      /would finish\. Nothing was changed\.[\s\S]*failed logins: 0\.[\s\S]*app-db: adopted\./,
    );
    expect(place.trail.filter((what) => /effect (stage|change|promote|retire)/.test(what))).toEqual([]);
  });

  test('replaces a leaked value at once', async () => {
    const place = await makePlace();
    expect(
      await rotateVerb(['app-db'], { now: true, leaked: true, reason: 'in a chat' }, depsOf(place), listening()),
    ).toBe(0);
    expect(place.host.holds('app_a', firstValue)).toBe(false);
  });

  test('ends with 1 where something is blocked, and names what to fix', async () => {
    const place = await makePlace();
    place.host.problems = ['The owner role is missing. Run: CREATE ROLE app_owner NOLOGIN;'];
    for (const options of [{ now: true }, { adopt: true }, { rehearse: true }]) {
      const terminal = listening();
      expect(await rotateVerb(['app-db'], options, depsOf(place), terminal)).toBe(1);
      expect(terminal.lines.join('\n')).toContain('CREATE ROLE app_owner NOLOGIN');
    }
  });

  test('a service that is down is an error with what to do, for --now as a report and for reading verbs thrown', async () => {
    const place = await makePlace();
    place.host.isUp = false;
    const terminal = listening();
    expect(await rotateVerb(['app-db'], { now: true }, depsOf(place), terminal)).toBe(1);
    expect(terminal.lines.join('\n')).toMatch(/failed.*does not answer[\s\S]*what to do: Bring it up again/);
    await expect(rotateVerb(['app-db'], { rehearse: true }, depsOf(place), listening())).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  const wrong: readonly (readonly [readonly string[], RotateOptions, RegExp])[] = [
    [[], {}, /no credential was named/],
    [['missing'], {}, /no credential is called "missing"/],
    [['app-db'], { all: true }, /exclude each other/],
    [['app-db'], { now: true, rehearse: true }, /exclude each other/],
    [['app-db'], { leaked: true, reason: 'x' }, /--leaked needs --now/],
    [['app-db'], { now: true, leaked: true, reason: ' ' }, /--leaked needs --now and --reason/],
    [['app-db'], { now: true, reason: 'x' }, /belongs to --leaked/],
    [[], { all: true, now: true, leaked: true, reason: 'x' }, /never means --all/],
  ];
  test.each(wrong)('refuses %j with %j before anything happens', async (names, options, said) => {
    const place = await makePlace();
    await expect(rotateVerb(names, options, depsOf(place), listening())).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(said),
      hint: expect.stringMatching(/./),
    });
    expect(place.trail).toEqual([]);
  });

  test('stops between two credentials when it is interrupted', async () => {
    const place = await makePlace();
    expect(await rotateVerb([], { all: true, now: true }, depsOf(place), listening(false, AbortSignal.abort()))).toBe(
      130,
    );
    expect(place.trail).toEqual([]);
  });
});
