import type { Config } from 'jest';

/** Node runs the .ts files as they are, so jest transforms nothing. */
const config: Config = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // By default one core is left idle, which is half of a small machine.
  maxWorkers: '100%',
  testTimeout: 20_000,
};

export default config;
