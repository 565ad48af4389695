import { readdir } from 'node:fs/promises';
import type { Attack } from './attack.ts';

/** Every attack beside this file, by number. */
export async function allAttacks(): Promise<readonly Attack[]> {
  const files = (await readdir(import.meta.dirname)).filter((name) => /^\d{2}-[a-z0-9-]+\.ts$/.test(name));
  const found = await Promise.all(files.map(attackIn));
  return found.toSorted((a, b) => a.number - b.number);
}

async function attackIn(file: string): Promise<Attack> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each file NN-name.ts exports its attack
  const { attack } = (await import(`./${file}`)) as { readonly attack?: Attack };
  if (attack?.number !== Number(file.slice(0, 2))) throw new Error(`${file} exports no attack of its number`);
  return attack;
}
