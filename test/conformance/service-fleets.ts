import { expect, test } from '@jest/globals';
import type { EndpointResult } from '../../shared/services/contract.ts';
import { expectAll, expectDone, free, retireOld, type ServiceCase } from './service-harness.ts';

/** Every endpoint answers for itself. */
export function fleetTests(here: () => ServiceCase): void {
  test('an endpoint that is silent gives no answer, with its error; the others answer', async () => {
    const { place, told, wrong } = here();
    const silent = await silenceLast(here());
    const yes = await place.first.accepts(place.initial);
    const no = await place.first.accepts(wrong);
    expect(yes.map(({ endpoint }) => endpoint)).toEqual(told.endpoints);
    for (const answers of [yes, no])
      for (const { endpoint, answer, error } of answers) {
        expect(answer === 'no-answer').toBe(endpoint === silent);
        if (endpoint === silent) expect(error).toMatchObject({ code: 'unreachable' });
        else expect(error).toBeUndefined();
      }
    expectAll(
      yes.filter(({ endpoint }) => endpoint !== silent),
      'accepted',
    );
    expectAll(
      no.filter(({ endpoint }) => endpoint !== silent),
      'refused',
    );
    if (silent !== undefined)
      await expect(place.first.sessions(place.initial.slot)).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('change and retire do what they can, and name the endpoint where it is left', async () => {
    const { place, fresh } = here();
    const silent = await silenceLast(here());
    expectNamed(here(), await place.first.change(fresh, place.initial, free), silent);
    const answers = await place.second.accepts(fresh);
    expectAll(
      answers.filter(({ endpoint }) => endpoint !== silent),
      'accepted',
    );
    expectNamed(here(), await retireOld(here(), fresh), silent);
    const old = await place.second.accepts(place.initial);
    expectAll(
      old.filter(({ endpoint }) => endpoint !== silent),
      'refused',
    );
  });

  test('what is not counted on every endpoint is not told as a count', async () => {
    const { place, told } = here();
    const silent = await silenceLast(here());
    if (silent !== undefined) expect((await place.first.describe()).holds).toEqual({});
    else expect((await place.first.describe()).holds).toEqual(told.holds);
  });

  test('an endpoint that comes back is brought on by repeating', async () => {
    const { place, told, fresh } = here();
    const silent = await silenceLast(here());
    await place.first.change(fresh, place.initial, free);
    if (silent !== undefined) {
      await place.silence?.(silent, false);
      const answers = await place.first.accepts(fresh);
      if (place.fleet === 'each') expect(answers.at(-1)).toMatchObject({ endpoint: silent, answer: 'refused' });
    }
    expectDone(here(), await place.second.change(fresh, place.initial, free));
    expectAll(await place.first.accepts(fresh), 'accepted');
    expectDone(here(), await retireOld(here(), fresh));
    expectAll(await place.first.accepts(place.initial), 'refused');
    const held = (await place.first.describe()).holds[place.target];
    if (held !== undefined || told.capacity > 1) expect(held).toBe(1);
  });

  test('where no endpoint answers, nothing was changed: unreachable', async () => {
    const { place, told, fresh } = here();
    if (!place.silence) {
      expect(place.fleet).not.toBe('each');
      return;
    }
    for (const endpoint of told.endpoints) await place.silence(endpoint, true);
    const gone = { code: 'unreachable' };
    await expect(place.first.change(fresh, place.initial, free)).rejects.toMatchObject(gone);
    await expect(place.first.retire(place.initial.slot, undefined, free)).rejects.toMatchObject(gone);
    expectAll(await place.first.accepts(place.initial), 'no-answer');
    for (const endpoint of told.endpoints) await place.silence(endpoint, false);
    expectAll(await place.first.accepts(place.initial), 'accepted');
    expectAll(await place.first.accepts(fresh), 'refused');
  });
}

/** Silences the last of several endpoints and answers its name; undefined where there is one endpoint only. */
async function silenceLast({ place, told }: ServiceCase): Promise<string | undefined> {
  const silent = told.endpoints.length > 1 && place.silence ? told.endpoints.at(-1) : undefined;
  if (silent !== undefined) await place.silence?.(silent, true);
  return silent;
}

/** Done everywhere but at `silent`, which is named where changes are made there. */
function expectNamed({ place, told }: ServiceCase, results: readonly EndpointResult[], silent: string | undefined) {
  if (place.fleet === 'each') expect(results.map(({ endpoint }) => endpoint)).toEqual(told.endpoints);
  for (const { endpoint, error } of results)
    if (endpoint === silent) expect(error).toMatchObject({ code: 'unreachable' });
    else expect(error).toBeUndefined();
}
