import { expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { OurValues } from '../../shared/base/our-values.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { MemoryHost, memoryService } from '../../shared/services/memory.ts';
import type { Service } from '../../shared/services/contract.ts';
import { withholding } from '../../shared/services/withholding.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

const admin = 'adm1n-password-of-ours-0123456789';
const value = 'v4lue-of-a-consumer-0123456789-xyz';
const login = { slot: 'app_a', value: new Sealed(value) };

test('whatever a driver throws or answers, no value that it was given comes out', async () => {
  const texts = [`${admin} and ${value}`, Buffer.from(value).toString('base64'), `the table "${value}"`];
  for (const text of texts) {
    const service = withholding(repeating(text), new OurValues([new Sealed(admin)]));
    const planted = [new PlantedSecret(admin), new PlantedSecret(value)];
    const calls = [
      () => service.accepts(login),
      () => service.change(login, async () => undefined),
      () => service.retire(login, async () => undefined),
      () => service.describe(),
      () => service.sessions('app_a'),
    ];
    for (const call of calls) {
      const came: unknown = await call().catch((thrown: unknown) => thrown);
      for (const one of planted) one.search('what came', came);
    }
    for (const one of planted) expect(() => one.expectNowhere()).not.toThrow();
  }
});

/** A driver on a service that repeats `text` wherever it can. */
function repeating(text: string): Service {
  const host = new MemoryHost({
    strategy: 'alternating',
    slots: ['app_a', 'app_b'],
    world: testWorld('2026-10-01T00:00:00Z', 'w'),
  });
  host.problems = [`in the way: ${text}`];
  const angry = async () => {
    const cause = Object.assign(new Error(text), { detail: text });
    throw new LockkeeperError('rejected', `changing app_a: ${text}`, { hint: text, cause });
  };
  return {
    ...memoryService(host),
    change: angry,
    accepts: angry,
    retire: angry,
    sessions: async (slot) => [{ slot, peer: `10.0.0.1 (${text})`, since: undefined }],
  };
}
