import { expect, test } from '@jest/globals';
import type { LoginAnswer } from '../../shared/services/contract.ts';
import { answered, counted, expectDone, free, retireOld, type ServiceCase } from './service-harness.ts';

const unreachable = expect.objectContaining({ code: 'unreachable' });

/** Every endpoint answers for itself. */
export function fleetTests(here: () => ServiceCase): void {
  test('an endpoint that is silent gives no answer, with its error; the others answer', async () => {
    const { place, told, wrong } = here();
    const silent = await silenceLast(here());
    const answersOf = (answer: LoginAnswer['answer']) =>
      told.endpoints.map((endpoint) =>
        endpoint === silent ? [endpoint, 'no-answer', unreachable] : [endpoint, answer, undefined],
      );
    const seen = (answers: readonly LoginAnswer[]) =>
      answers.map(({ endpoint, answer, error }) => [endpoint, answer, error]);
    expect(seen(await place.first.accepts(place.initial))).toEqual(answersOf('accepted'));
    expect(seen(await place.first.accepts(wrong))).toEqual(answersOf('refused'));
  });

  test('sessions are not told where one endpoint does not answer', async () => {
    const { place, told } = here();
    const silent = await silenceLast(here());
    const came: unknown = await place.first.sessions(place.initial.slot).catch((thrown: unknown) => thrown);
    const isShown = silent === undefined && told.sessionsSeen !== 'none';
    const failed = expect.objectContaining({ code: silent === undefined ? 'unsupported' : 'unreachable' });
    expect(came).toEqual(isShown ? [] : failed);
  });

  test('change and retire do what they can, and name the endpoint where it is left', async () => {
    const { place, fresh } = here();
    const silent = await silenceLast(here());
    const places = changedAt(here());
    const named = places.map((endpoint) => ({ endpoint, error: endpoint === silent ? unreachable : undefined }));
    expect(await place.first.change(fresh, place.initial, free)).toEqual(named);
    expect(answered(await place.second.accepts(fresh), silent)).toBe('accepted');
    const retired = await retireOld(here(), fresh);
    expect(retired).toEqual(named);
    expect(answered(await place.second.accepts(place.initial), silent)).toBe('refused');
  });

  test('what is not counted on every endpoint is not told as a count', async () => {
    const { place, told } = here();
    const silent = await silenceLast(here());
    expect((await place.first.describe()).holds).toEqual(silent === undefined ? told.holds : {});
  });

  test('an endpoint that comes back is brought on by repeating', async () => {
    const { place, fresh } = here();
    const silent = await silenceLast(here());
    await place.first.change(fresh, place.initial, free);
    if (silent !== undefined) await place.silence?.(silent, false);
    // Where the others follow by themselves, it may have caught up by now.
    const missed = (await place.first.accepts(fresh)).at(-1)?.answer === 'refused';
    expect([silent !== undefined, silent !== undefined && place.fleet === 'each']).toContain(missed);
    expectDone(here(), await place.second.change(fresh, place.initial, free));
    expect(answered(await place.first.accepts(fresh))).toBe('accepted');
    expectDone(here(), await retireOld(here(), fresh));
    expect(answered(await place.first.accepts(place.initial))).toBe('refused');
    expect([1, undefined]).toContain(await counted(here(), place.target));
  });

  test('where no endpoint answers, nothing was changed: unreachable', async () => {
    const { place, told, fresh } = here();
    const canBeSilent = 'silence' in place;
    expect(canBeSilent || place.fleet !== 'each').toBe(true);
    if (!canBeSilent) return;
    for (const endpoint of told.endpoints) await place.silence?.(endpoint, true);
    const gone = { code: 'unreachable' };
    await expect(place.first.change(fresh, place.initial, free)).rejects.toMatchObject(gone);
    await expect(place.first.retire(place.initial.slot, undefined, free)).rejects.toMatchObject(gone);
    expect(answered(await place.first.accepts(place.initial))).toBe('no-answer');
    for (const endpoint of told.endpoints) await place.silence?.(endpoint, false);
    expect(answered(await place.first.accepts(place.initial))).toBe('accepted');
    expect(answered(await place.first.accepts(fresh))).toBe('refused');
  });
}

/** Silences the last of several endpoints and answers its name; undefined where there is one endpoint only. */
async function silenceLast({ place, told }: ServiceCase): Promise<string | undefined> {
  const silent = told.endpoints.length > 1 && 'silence' in place ? told.endpoints.at(-1) : undefined;
  if (silent !== undefined) await place.silence?.(silent, true);
  return silent;
}

/** The endpoints at which changes are made. */
function changedAt({ place, told }: ServiceCase): readonly string[] {
  return place.fleet === 'each' ? told.endpoints : told.endpoints.slice(0, 1);
}
