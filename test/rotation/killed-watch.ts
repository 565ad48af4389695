import { Sealed } from '../../shared/base/sealed.ts';
import type { Login } from '../../shared/services/contract.ts';
import { scramVerifier } from '../../shared/services/scram.ts';
import { adminPassword, logsIn } from '../services/postgres-pair.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import { form } from './killed-place.ts';
import type { Scene, Verifiers } from './killed-scene.ts';

/** What one rotation leaves behind, for who looks from outside. */
export interface WatchedPlace {
  readonly stores: Readonly<Record<string, SecretStore>>;
  /** What should not be so in its log and its journal once it is done; empty: nothing. */
  holes(): Promise<readonly string[]>;
  /** Everything it wrote that is no secret store and no key. */
  texts(): Promise<readonly string[]>;
}

/** Looks at one rotation that was disturbed, and notes what does not hold. */
export class Watch {
  readonly #scene: Scene;
  readonly #place: WatchedPlace;
  readonly #found = new Set<string>();
  /** Every login that a store ever held, by its version. */
  readonly #logins = new Map<string, Login>();
  /** What may stand nowhere but in a store: values, and what the server keeps of them. */
  readonly #secrets = new Set<string>([adminPassword]);
  readonly #hashes = new Map<string, string>();

  constructor(scene: Scene, place: WatchedPlace) {
    this.#scene = scene;
    this.#place = place;
    this.#secrets.add(scene.pair.initial.value.open());
  }

  /**
   * What the stores hand out logs in; a single user's may be refused for a moment, and then another durable value logs
   * in. `really` logs in as a consumer would; else the server's verifiers tell.
   */
  async look(when: string, { really = false } = {}): Promise<void> {
    const [handedOut, verifiers] = [await this.#handedOut(), await this.#scene.verifiers()];
    for (const verifier of Object.values(verifiers)) if (verifier) this.#secrets.add(verifier);
    const gets = async (login: Login) =>
      really ? await logsIn(this.#scene.server.port, login) : this.#isValid(login, verifiers);
    for (const login of handedOut) {
      if (await gets(login)) continue;
      const others = this.#scene.kind.strategy === 'single' ? [...this.#logins.values()] : [];
      const isGap = (await Promise.all(others.map(gets))).includes(true);
      if (!isGap) this.#found.add(`${when}: what a store hands out is refused`);
    }
  }

  /** What must hold once it is done. `said`: everything that any of its processes gave out. */
  async verdict(said: readonly string[]): Promise<readonly string[]> {
    await this.look('at the end', { really: true });
    await this.#nothingLeft();
    for (const hole of await this.#place.holes()) this.#found.add(hole);
    const texts = [...said, ...(await this.#place.texts())];
    for (const secret of this.#secrets)
      if (texts.some((text) => text.includes(secret))) this.#found.add('a secret stands outside the stores');
    return [...this.#found];
  }

  /** Nothing but what is handed out is valid or kept anywhere. */
  async #nothingLeft(): Promise<void> {
    const ids = [...this.#logins.keys()];
    const kept = new Set<string>();
    for (const store of Object.values(this.#place.stores)) {
      const { current, previous, pending, asked } = await store.read('app', ids);
      if (pending || previous || asked.some(({ id }) => id !== current?.id))
        this.#found.add('a store keeps a staged or an earlier value');
      if (current) kept.add(form.read(current.value, []).value.open());
    }
    if (kept.size !== 1) this.#found.add('the stores hand out different values');
    const verifiers = await this.#scene.verifiers();
    const others = [...this.#logins.values()].filter(({ value }) => !kept.has(value.open()));
    if (others.some((login) => this.#isValid(login, verifiers))) this.#found.add('an earlier value is still valid');
    if (await logsIn(this.#scene.server.port, this.#scene.pair.initial)) this.#found.add('the first value logs in');
    const valid = Object.values(verifiers).filter((verifier) => verifier !== null);
    if (valid.length !== 1) this.#found.add(`${valid.length} users have a password, not one`);
    const made = new Set([...this.#logins.values()].map(({ value }) => value.open())).size - 1;
    if (made !== 1) this.#found.add(`${made} new values were staged, not one`);
  }

  /** What consumers read now, without repeats; and every version is noted. */
  async #handedOut(): Promise<readonly Login[]> {
    const found = new Map<string, Login>();
    for (const store of Object.values(this.#place.stores)) {
      const { current, previous, pending } = await store.read('app');
      for (const version of [current, previous, pending]) {
        if (!version || this.#logins.has(version.id)) continue;
        const login = form.read(version.value, []);
        this.#logins.set(version.id, login);
        this.#secrets.add(login.value.open());
      }
      const login = this.#logins.get(current?.id ?? '');
      if (login) found.set(login.value.open(), login);
      else this.#found.add('a store hands out nothing');
    }
    return [...found.values()];
  }

  #isValid({ slot, value }: Login, verifiers: Verifiers): boolean {
    const verifier = verifiers[slot];
    const parts = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier ?? '');
    if (!parts) return false;
    const [, iterations = '', salt = ''] = parts;
    const key = `${iterations} ${salt} ${value.open()}`;
    const rule = { iterations: Number(iterations), salt: Buffer.from(salt, 'base64') };
    const computed = this.#hashes.get(key) ?? scramVerifier(new Sealed(value.open()), rule);
    this.#hashes.set(key, computed);
    return computed === verifier;
  }
}
