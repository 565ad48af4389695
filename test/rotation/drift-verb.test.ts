import { describe, expect, test } from '@jest/globals';
import { driftVerb } from '../../functions/cli/drift.ts';
import type { Terminal } from '../../functions/cli/io.ts';
import type { RotateDeps } from '../../functions/cli/rotate.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { makePlace, type Place } from './place.ts';

function listening(json = false): Terminal & { readonly lines: string[] } {
  const lines: string[] = [];
  const line = (text: string) => void lines.push(text);
  return { lines, json, signal: new AbortController().signal, out: line, err: line };
}

function depsOf(place: Place): RotateDeps {
  const { plan, service, stores, ...shared } = place.deps();
  return { ...shared, credentials: [{ plan, service, stores }] };
}

describe('lockkeeper drift', () => {
  test('ends with 0 where everything agrees', async () => {
    const place = await makePlace();
    await adopt(place.deps());
    const terminal = listening();
    expect(await driftVerb([], {}, depsOf(place), terminal)).toBe(0);
    expect(terminal.lines).toEqual(['app-db: agrees: journal, stores and service agree.']);
  });

  test('ends with 1 where something differs, and says what and what to do', async () => {
    const place = await makePlace();
    await adopt(place.deps());
    place.host.setByHand('app_a', 'a-value-that-an-administrator-chose-0123456789');
    const terminal = listening();
    expect(await driftVerb(['app-db'], {}, depsOf(place), terminal)).toBe(1);
    expect(terminal.lines).toEqual([
      'app-db: drifted: 1 finding',
      expect.stringMatching(
        /^ {2}new: current-refused app_a@memory: memory refuses the login of app_a that one\/app-db/,
      ),
      expect.stringMatching(/^ {4}what to do: .*lockkeeper rotate app-db --now$/),
    ]);
  });

  test('prints one JSON object with --output json', async () => {
    const place = await makePlace();
    await adopt(place.deps());
    place.host.isUp = false;
    const terminal = listening(true);
    expect(await driftVerb([], { all: true }, depsOf(place), terminal)).toBe(1);
    expect(terminal.lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { credentials: [{ credential: 'app-db', outcome: 'drifted', findings: [{ id: 'service-silent' }] }] },
    ]);
  });

  test('ends with 7 where nothing was adopted, and checks it all the same where it is named', async () => {
    const place = await makePlace();
    expect(await driftVerb([], {}, depsOf(place), listening())).toBe(7);
    expect(await driftVerb(['app-db'], {}, depsOf(place), listening())).toBe(1);
  });

  test('refuses names that it does not know, and names beside --all', async () => {
    const place = await makePlace();
    for (const [names, options] of [
      [['missing'], {}],
      [['app-db'], { all: true }],
    ] as const)
      await expect(driftVerb(names, options, depsOf(place), listening())).rejects.toMatchObject({ code: 'invalid' });
  });
});
