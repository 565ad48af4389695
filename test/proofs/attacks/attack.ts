/** One attack on the whole product, made as its attacker would make it. Each is a file `NN-name.ts` that exports `attack`. */
export interface Attack {
  /** Its number; SECURITY.md says who makes it. */
  readonly number: number;
  /** What the attacker does, in a few words. */
  readonly about: string;
  /**
   * Makes the attack and all its variations. Answers what was tried and what came of it, in one line. Throws
   * `AttackSucceeded` where one of them reached something; any other error says that it could not be made.
   */
  readonly run: () => Promise<string>;
  /** The fixes, each switched back alone: with any one of them the attack must succeed. */
  readonly switchedBack: readonly SwitchedBack[];
}

/** A fix taken out of the code: `find` stands exactly once in the file. */
export interface SwitchedBack {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** An attack reached what it must not reach; the message says what. */
export class AttackSucceeded extends Error {}

/** Throws `AttackSucceeded` unless `isHeld`. */
export function mustHold(isHeld: boolean, reached: string): void {
  if (!isHeld) throw new AttackSucceeded(reached);
}
