import { keyOf, secret, type Ground } from './ground.ts';
import { loginIn, type PlainLogin } from './values.ts';

/** What is true about stores and service, seen from outside: nothing of lockkeeper is asked. */
export class Truth {
  readonly #ground: Ground;
  /** Promised to consumers: what was handed out, and when last. */
  readonly #promised = new Map<string, { readonly login: PlainLogin; readonly last: number }>();
  /** Every login that ever existed, with the name it has in stories. */
  readonly names = new Map<string, string>();
  readonly logins: PlainLogin[] = [];

  constructor(ground: Ground) {
    this.#ground = ground;
    this.learn();
  }

  /** Knows every login that a store holds now. */
  learn(): void {
    for (const login of this.#durable()) this.know(login);
  }

  /** A login that somebody made. */
  know(login: PlainLogin): void {
    if (this.names.has(keyOf(login))) return;
    this.names.set(keyOf(login), `${login.slot}#${this.logins.length + 1}`);
    this.logins.push(login);
  }

  /** The name of a login in stories. */
  nameOf(login: PlainLogin): string {
    return this.names.get(keyOf(login)) ?? `${login.slot}#unknown`;
  }

  /** A value of the service, as stories name it. */
  nameOfDigest(slot: string, digest: string): string {
    const known = this.logins.find((login) => login.slot === slot && this.#digest(login) === digest);
    return known ? this.nameOf(known) : `${slot}#unknown`;
  }

  /** A login that a consumer may still have in its memory. */
  cached(): PlainLogin | undefined {
    return [...this.#promised.values()][0]?.login;
  }

  /** Nothing is promised any more of what no store hands out, except for what `also` names. */
  promiseOnlyWhatIsHandedOut(also: readonly (string | undefined)[] = []): void {
    const live = new Set(this.#handedOut().map(({ login }) => login && keyOf(login)));
    for (const key of this.#promised.keys()) if (!live.has(key) && !also.includes(key)) this.#promised.delete(key);
  }

  /** What is wrong now, in words that name the place and not the moment. */
  wrong(): ReadonlySet<string> {
    const found = new Set<string>();
    for (const { at, login } of this.#handedOut()) {
      if (login) {
        this.#promised.set(keyOf(login), { login, last: this.#ground.now });
        for (const name of this.#refusing(login)) found.add(`what store${at} hands out is refused at ${name}`);
      } else found.add(`what store${at} hands out is no login`);
    }
    for (const { login, last } of this.#promised.values()) {
      if (this.#ground.now >= last + this.#windowMs()) this.#promised.delete(keyOf(login));
      else
        for (const name of this.#refusing(login))
          found.add(`${this.nameOf(login)} in its window is refused at ${name}`);
    }
    const durable = this.#durable();
    const { fleet } = this.#ground.host;
    for (const name of fleet.setup.endpoints)
      if (durable.every((login) => this.#refusing(login).includes(name)))
        found.add(`nothing durable logs in at ${name}${fleet.endpoint(name).isUp ? '' : ', which is silent'}`);
    return found;
  }

  /** Values that are valid at the service and that no store hands out. */
  strays(): readonly string[] {
    const { fleet, options } = this.#ground.host;
    const kept = new Set(this.#handedOut().flatMap(({ login }) => (login ? [this.#digest(login)] : [])));
    return fleet.setup.endpoints.flatMap((name) =>
      options.slots.flatMap((slot) => {
        const valid = [...new Set([...fleet.written(name, slot), ...fleet.shown(name, slot)])];
        const others = valid.filter((digest) => !kept.has(digest));
        return others.map((digest) => `${this.nameOfDigest(slot, digest)} at ${name}`);
      }),
    );
  }

  #digest({ value }: PlainLogin): string | undefined {
    return this.#ground.host.fleet.digest(value);
  }

  #handedOut() {
    return this.#ground.vaults.map((vault, at) => {
      const text = this.#ground.live(vault);
      return { at, login: text === undefined ? undefined : loginIn(text) };
    });
  }

  #windowMs(): number {
    const { propagationMs, stores } = this.#ground.setting;
    return Math.max(propagationMs, ...stores.map(({ settlesMs }) => settlesMs));
  }

  #durable(): readonly PlainLogin[] {
    return this.#ground.vaults.flatMap((vault) => {
      const { current, pending, earlier = [], hidden = [] } = vault.find(secret)?.shelf ?? {};
      return [current, pending, ...earlier, ...hidden].flatMap((one) => (one ? (loginIn(one.text) ?? []) : []));
    });
  }

  /** Endpoints where a client with this login is refused, or will be once the endpoint has caught up. */
  #refusing(login: PlainLogin): readonly string[] {
    const { fleet } = this.#ground.host;
    const digest = this.#digest(login);
    if (digest === undefined) return fleet.setup.endpoints;
    const isKnown = fleet.state.known[login.slot]?.includes(digest) ?? false;
    const lets = (values: readonly string[]) =>
      fleet.setup.strategy === 'replacing' ? isKnown && values.length > 0 : values.includes(digest);
    return fleet.setup.endpoints.flatMap((name) => {
      if (!lets(fleet.shown(name, login.slot))) return [name];
      return lets(fleet.written(name, login.slot)) ? [] : [`${name} once it has caught up`];
    });
  }
}
