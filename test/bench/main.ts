import { runMeasures, type Measure } from './run-measures.ts';

const benchmarks: readonly Measure[] = [
  {
    name: 'cli-help',
    about: '`lockkeeper --help` against an empty script',
    run: async () => (await import('./cli-help.ts')).cliHelp(),
  },
];

process.exitCode = await runMeasures(benchmarks, process.argv.slice(2), { out: console.log, err: console.error });
