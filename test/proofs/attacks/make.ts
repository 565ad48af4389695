import { AttackSucceeded, type Attack } from './attack.ts';

/** Makes one attack and says how it went, beginning with one word: held, SUCCEEDED or NOT MADE. Never throws. */
export async function attackLine({ number, about, run }: Attack): Promise<string> {
  const line = (word: string, said: string) => `${word.padEnd(9)}  ${String(number).padStart(2)}  ${about}: ${said}`;
  try {
    return line('held', await run());
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return line(error instanceof AttackSucceeded ? 'SUCCEEDED' : 'NOT MADE', said);
  }
}

/** Whether the attack of this line failed, as it must. */
export function isHeld(line: string): boolean {
  return line.startsWith('held ');
}
