import { allAttacks } from '../proofs/attacks/all-attacks.ts';
import type { Mutant } from './mutant.ts';

/** Every fix that an attack names, switched back alone. */
export async function attackMutants(): Promise<readonly Mutant[]> {
  return (await allAttacks()).flatMap(({ number, switchedBack }) =>
    switchedBack.map(({ name, file, find, replace }) => ({
      name: `attack-${number}-${name}`,
      file,
      find,
      replace,
      tests: number,
    })),
  );
}
