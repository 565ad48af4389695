/** One fault seeded into the code, which a test has to catch. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The jest files of which one has to fail; or the number of the attack in test/proofs/attacks that has to succeed. */
  readonly tests: readonly string[] | number;
}
