import type { Config } from 'jest';

/** As the project's own tests run, but for the files that need judges; `npm run judges` runs it. */
const config: Config = {
  rootDir: '..',
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testMatch: ['<rootDir>/judges/*.judge.ts'],
  // Servers stand beside their tests; one file at a time leaves them a core.
  maxWorkers: 1,
  testTimeout: 60_000,
};

export default config;
