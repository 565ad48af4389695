import { hostileDirectories } from './tamper-directories.ts';

/** What the process may take; it is a process of its own, so that its memory is that of these directories alone. */
const mostMegabytes = 900;

// The seed and how many, then the result.
const [seed = 1, rounds = 1] = process.argv.slice(2).map(Number);
const result = await hostileDirectories({ seed, rounds });
const megabytes = process.resourceUsage().maxRSS / 1_024;
if (megabytes > mostMegabytes) result.done.unseen.push(`the process took ${Math.round(megabytes)} MB`);
process.stdout.write(JSON.stringify(result));
