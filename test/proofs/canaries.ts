import { PlantedSecret } from '../planted-secret.ts';

/** Passwords by what they are, and everything that is searched for them. */
export class Canaries {
  readonly #planted = new Map<string, PlantedSecret>();
  readonly #taken: string[] = [];
  #searched = 0;

  /** A password to look for from now on; the same again changes nothing. */
  plant(name: string, text: string): this {
    const isKnown = [...this.#planted.values()].some((one) => one.bare() === text);
    if (!isKnown && text !== '') this.#planted.set(name, new PlantedSecret(text));
    return this;
  }

  get names(): readonly string[] {
    return [...this.#planted.keys()];
  }

  /** How many things were searched. */
  get searched(): number {
    return this.#searched;
  }

  /** What was found: which password, and where. */
  get finds(): readonly string[] {
    const own = [...this.#planted].flatMap(([name, { leaks }]) => leaks.map((where) => `${name}: ${where}`));
    return [...own, ...this.#taken];
  }

  /** What others searched and found counts here, too. */
  took(others: Canaries): this {
    this.#searched += others.searched;
    this.#taken.push(...others.finds);
    return this;
  }

  search(where: string, came: unknown): this {
    this.#searched += 1;
    for (const one of this.#planted.values()) one.search(where, came);
    return this;
  }

  /** Names and bytes of every file below, except those whose path has one of `except`. */
  async searchDirectory(directory: string, ...except: readonly string[]): Promise<this> {
    this.#searched += 1;
    for (const one of this.#planted.values()) await one.searchDirectory(directory, ...except);
    return this;
  }
}
