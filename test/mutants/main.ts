import { attackMutants } from './attack-mutants.ts';
import type { Mutant } from './mutant.ts';
import { mutants as seeded } from './mutants.ts';
import { Tree, type TestRun } from './tree.ts';

/**
 * Seeds one fault after the other into a copy of the project and runs the tests that have to catch it. Takes names, or
 * their beginnings up to a dash (attack-3); `--all` takes every fault there is. Without words it takes all but the
 * attacks' further fixes: of each attack the first. Exit code 1 where a fault survives, cannot be seeded, or the tests
 * fail without any.
 */
async function main(names: readonly string[]): Promise<number> {
  const switchedBack = await attackMutants();
  const mutants = [...seeded, ...switchedBack];
  const picks = (word: string) => mutants.filter(({ name }) => name === word || name.startsWith(`${word}-`));
  const unknown = names.filter((name) => name !== '--all' && picks(name).length === 0);
  if (unknown.length > 0) {
    console.error(`${unknown.join(', ')}: not known. There is: ${mutants.map(({ name }) => name).join(', ')}.`);
    return 1;
  }
  if (names.includes('--all')) return await runIn(mutants);
  return await runIn(names.length > 0 ? names.flatMap(picks) : [...seeded, ...firstOfEach(switchedBack)]);
}

/** Of the fixes of each attack the first. */
function firstOfEach(switchedBack: readonly Mutant[]): readonly Mutant[] {
  return [...Map.groupBy(switchedBack, ({ tests }) => tests).values()].flatMap((fixes) => fixes.slice(0, 1));
}

async function runIn(chosen: readonly Mutant[]): Promise<number> {
  const tree = await Tree.copy();
  try {
    return (await isHealthy(tree, chosen)) ? await seedAll(tree, chosen) : 1;
  } finally {
    await tree.remove();
  }
}

/**
 * Without a fault the tests pass; else a failing test would prove nothing. That attacks fail without one is what
 * `npm run proofs -- attacks` shows.
 */
async function isHealthy(tree: Tree, chosen: readonly Mutant[]): Promise<boolean> {
  const files = new Set(chosen.flatMap(({ tests }) => (typeof tests === 'number' ? [] : tests)));
  if (files.size === 0) return true;
  const { outcome, text } = await tree.runTests([...files]);
  if (outcome === 'passed') return true;
  console.error(`${text}\nWithout any fault the tests ${outcome}; so nothing can be told.`);
  return false;
}

async function seedAll(tree: Tree, chosen: readonly Mutant[]): Promise<number> {
  let caught = 0;
  for (const mutant of chosen) {
    const began = performance.now();
    const found = await seed(tree, mutant);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    console.log(
      `${found.isCaught ? 'caught  ' : 'SURVIVED'}  ${mutant.name.padEnd(40)} ${seconds.padStart(6)} s  ${found.how}`,
    );
    if (found.isCaught) caught += 1;
  }
  console.log(`${caught} of ${chosen.length} caught, ${chosen.length - caught} survived`);
  return caught === chosen.length ? 0 : 1;
}

interface Found {
  readonly isCaught: boolean;
  /** The first promise that was broken, or what else happened. */
  readonly how: string;
}

async function seed(tree: Tree, { file, find, replace, tests }: Mutant): Promise<Found> {
  const undo = await tree.patch(file, find, replace);
  try {
    return typeof tests === 'number' ? reached(await tree.runAttack(tests)) : told(await tree.runTests(tests));
  } finally {
    await undo();
  }
}

/** A fault is caught by a test that fails, not by code that does not load. */
function told({ outcome, text }: TestRun): Found {
  if (outcome === 'passed') return { isCaught: false, how: 'every test passed' };
  if (outcome === 'timed-out') return { isCaught: true, how: 'ran for ever' };
  const broken = /^\s+● (.+)$/m.exec(text)?.[1];
  if (broken === undefined || broken.includes('Test suite failed to run'))
    return { isCaught: false, how: `the tests did not run: ${text.slice(0, 400)}` };
  return { isCaught: true, how: broken };
}

/** A fix is needed where its attack succeeds without it; an attack that cannot be made shows nothing. */
function reached({ outcome, text }: TestRun): Found {
  if (outcome === 'timed-out') return { isCaught: true, how: 'ran for ever' };
  const line = /^SUCCEEDED +\d+ +(.*)$/m.exec(text)?.[1];
  if (line !== undefined) return { isCaught: true, how: line.slice(0, 120) };
  return { isCaught: false, how: outcome === 'passed' ? 'the attack failed all the same' : text.slice(0, 400) };
}

process.exitCode = await main(process.argv.slice(2));
