/** One fault seeded into the code, which a test has to catch. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The jest files that have to fail. */
  readonly tests: readonly string[];
}
