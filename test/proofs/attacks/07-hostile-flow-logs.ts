import { mustHold, type Attack } from './attack.ts';
import { flowLogPlace } from './flow-logs/place.ts';
import { oneByOne, poisonings } from './flow-logs/poison.ts';
import { jobsDoNotWait } from './flow-logs/jobs.ts';
import { hostileRound, soundParquet } from '../hostile/round.ts';

/** Who may write to the flow-log bucket puts one object into it. */
export const attack: Attack = {
  number: 7,
  about: 'hostile objects in a flow log',
  async run() {
    for (const one of poisonings) await oneByOne(one);
    const place = await flowLogPlace();
    try {
      for (const one of poisonings) await one.lay(place.directory);
      await place.mustBeRead(poisonings);
      await place.mustSettle();
    } finally {
      await place.end();
    }
    const jobs = await jobsDoNotWait();
    const parquet = await soundParquet();
    let [objects, rows] = [0, 0];
    for (const [seed, format] of (['aws', 'gcp', 'azure'] as const).entries()) {
      const round = await hostileRound({ seed: 70 + seed, format, objects: 150, parquet });
      mustHold(round.wrong.length === 0, round.wrong.slice(0, 3).join('; '));
      [objects, rows] = [objects + round.objects, rows + round.good.counted];
    }
    return `${poisonings.length} kinds of hostile objects one by one and together, and ${objects} random ones: each was named, every good row beside them counted (${rows}), none read again; ${jobs}`;
  },
  switchedBack: [
    {
      name: 'dates-in-names',
      file: 'shared/flow-logs/key-times.ts',
      find: '  return isSame ? instant(ms) : undefined;',
      replace: '  return instant(ms);',
    },
    {
      name: 'times-of-rows',
      file: 'shared/flow-logs/formats/aws-vpc.ts',
      find: '  WHEN e < ${first} OR e > ${last} OR s < ${first} OR s > ${last} THEN ${code.malformed}\n',
      replace: '',
    },
    {
      name: 'times-of-parsed-rows',
      file: 'shared/flow-logs/limits.ts',
      find: '    if (at !== undefined && (at < within.from || at > within.to)) return',
      replace: '    if (at !== undefined && at !== at) return',
    },
    {
      name: 'unpacked-size',
      file: 'shared/flow-logs/limits.ts',
      find: '  return 17_000_000 + 64 * bytes;',
      replace: '  return 1e15 * bytes;',
    },
    {
      name: 'patterns-in-names',
      file: 'shared/flow-logs/engine.ts',
      find: '      await symlink(resolve(path), link);\n      return link;',
      replace: '      await symlink(resolve(path), link);\n      return path;',
    },
    {
      name: 'names-of-streams',
      file: 'shared/usage/key-order.ts',
      find: 'Object.hasOwn(settled, stream) ? settled[stream] : undefined',
      replace: '`${stream}` in settled ? settled[stream] : undefined',
    },
    {
      name: 'words-of-prototypes',
      file: 'shared/flow-logs/formats/aws-vpc-lines.ts',
      find: 'Object.hasOwn(words, text) ? words[text] : undefined',
      replace: 'words[text]',
    },
    {
      name: 'dates-that-settle',
      file: 'shared/usage/plan-batches.ts',
      find: 'isDatedUpTo(key, horizon) && ',
      replace: '',
    },
    {
      name: 'names-of-the-future',
      file: 'shared/usage/key-order.ts',
      find: '  return ends !== undefined && ends <= after(now, day) ? ends : undefined;',
      replace: '  return ends;',
    },
    {
      name: 'links-and-fifos',
      file: 'shared/flow-logs/directory.ts',
      find: '!entry.isDirectory() && logName.test(entry.name)',
      replace: 'entry.isFile() && logName.test(entry.name)',
    },
    {
      name: 'the-culprit',
      file: 'shared/usage/read-objects.ts',
      find: '    if (objects.length === 0 || !isAboutObjects(thrown)) throw thrown;',
      replace: '    throw thrown;',
    },
    {
      name: 'one-log-for-itself',
      file: 'functions/local/jobs.ts',
      find: '      problems.push(asLockkeeperError(thrown));',
      replace: '      throw thrown;',
    },
    {
      name: 'a-job-that-hangs',
      file: 'functions/local/work-queue.ts',
      find: '    const ended = await Promise.race([over, limit]);',
      replace: '    const ended = await over;',
    },
  ],
};
