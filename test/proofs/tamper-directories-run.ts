import { hostileDirectories } from './tamper-directories.ts';

// A process of its own, so that its memory is that of these directories alone: the seed and how many, then the result.
const [seed = 1, rounds = 1] = process.argv.slice(2).map(Number);
process.stdout.write(JSON.stringify(await hostileDirectories({ seed, rounds })));
