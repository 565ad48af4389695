import { runMeasures, type Measure } from './run-measures.ts';

const benchmarks: readonly Measure[] = [
  {
    name: 'usage-gz',
    about: 'facts from eight million flow-log records against a bare read of the same files',
    run: async () => (await import('./usage-gz.ts')).usageGz(),
  },
  {
    name: 'cli-help',
    about: '`lockkeeper --help` against an empty script',
    run: async () => (await import('./cli-help.ts')).cliHelp(),
  },
  {
    name: 'judge',
    about: 'a thousand openings judged by a hundred thousand rows of usage',
    run: async () => (await import('./judge.ts')).judgeRules(),
  },
  {
    name: 'audit-verify',
    about: 'a log of a million entries verified, against a bare hashing of its files',
    run: async () => (await import('./audit-verify.ts')).auditVerify(),
  },
  {
    name: 'audit-append',
    about: 'fifty writers of the log, against as many that only create objects',
    run: async () => (await import('./audit-append.ts')).auditAppend(),
  },
  {
    name: 'rotation-1000',
    about: 'a thousand PostgreSQL credentials rotated, against the same statements and store calls made bare',
    run: async () => (await import('./rotation-1000.ts')).rotation1000(),
  },
];

process.exit(await runMeasures(benchmarks, process.argv.slice(2), { out: console.log, err: console.error }));
