import type { AuditEvent } from '../../../shared/audit/entry.ts';
import type { Journal } from '../../../shared/rotation/journal.ts';
import { isEmergency } from '../../../shared/rotation/trouble.ts';
import type { Login } from '../../../shared/services/contract.ts';
import { keyOf, secret, type Ground } from './ground.ts';
import { nameOfCall, type Call, type Process } from './process.ts';
import { loginIn, type PlainLogin } from './values.ts';

/** A promise that was broken. */
export interface Broken {
  /** Which promise, in a word or two: walks are shrunk as long as they break the same one. */
  readonly promise: string;
  readonly text: string;
}

/** Thrown as soon as a promise is broken. */
export class BrokenPromise extends Error {
  readonly broken: Broken;
  constructor(promise: string, text: string) {
    super(`${promise}: ${text}`);
    this.broken = { promise, text };
  }
}

/** Intents under which an effect may happen. */
const intentsOf: Readonly<Record<string, readonly string[]>> = {
  'store.stage': ['rotation.stage'],
  'store.promote': ['rotation.promote'],
  'store.abandon': ['rotation.abandon'],
  'store.retire': ['rotation.retire-copy'],
  'service.change': ['rotation.change', 'rotation.promote'],
  'service.retire': ['rotation.retire', 'rotation.clear'],
  'service.accepts': ['rotation.login'],
  'issuer.issue': ['rotation.issue'],
  'issuer.recall': ['rotation.abandon'],
  'receiver.poke': ['rotation.refresh'],
};

/**
 * Looks after everything that happens. What is wrong after lockkeeper did something, and was right before, is
 * lockkeeper's doing; what goes wrong as persons and the world act is theirs.
 */
export class Watch {
  readonly #ground: Ground;
  #wrong: ReadonlySet<string> = new Set();
  /** Promised to consumers: what was handed out, and when last. */
  readonly #promised = new Map<string, { readonly login: PlainLogin; readonly last: number }>();
  /** Every login that ever existed, with the name it has in stories. */
  readonly names = new Map<string, string>();
  readonly logins: PlainLogin[] = [];
  /** What existed when an emergency was ordered, by its reason. */
  readonly leaked = new Map<string, readonly PlainLogin[]>();
  /** The value of each session. */
  readonly sessionLogins = new Map<number, PlainLogin>();
  /** How often persons and the world touched the service. */
  hands = 0;
  /** How often they had when lockkeeper last ended a value. */
  handsAtRetire = -1;
  /** Several runs at once, where neither fence nor store holds a paused writer back: less is promised. */
  isWeak = false;
  /** The journal was lost: what was staged under it may stay. */
  isJournalLost = false;
  readonly phases = new Set<string>();
  readonly problems: string[] = [];

  constructor(ground: Ground) {
    this.#ground = ground;
    for (const vault of ground.vaults) this.#know(ground.live(vault));
    this.byOthers();
  }

  /** Something was done by a person, by the world or by time. */
  byOthers(): void {
    this.#wrong = this.#look();
  }

  /** A person wrote to a store: what is handed out nowhere any more is not lockkeeper's promise. */
  byHandInStore(): void {
    for (const vault of this.#ground.vaults) this.#know(this.#ground.live(vault));
    const live = new Set(this.#liveLogins().map(({ login }) => login && keyOf(login)));
    for (const key of this.#promised.keys()) if (!live.has(key)) this.#promised.delete(key);
    this.byOthers();
  }

  /** A new login that somebody made. */
  know(login: PlainLogin): void {
    if (this.names.has(keyOf(login))) return;
    this.names.set(keyOf(login), `${login.slot}#${this.logins.length + 1}`);
    this.logins.push(login);
  }

  /** Nothing is promised of values whose stores or journal were lost, but for those that stores still show. */
  journalLost(): void {
    this.isJournalLost = true;
    const shown = this.#ground.vaults.flatMap((vault) => {
      const { current, earlier = [] } = vault.find(secret)?.shelf ?? {};
      return [current?.text, earlier[0]?.text];
    });
    for (const [key, { login }] of this.#promised) if (!shown.includes(keyOf(login))) this.#promised.delete(key);
  }

  /** Before an effect: its intent is in the log. */
  before(process: Process, call: Call): void {
    const name = nameOfCall(call);
    const intents = intentsOf[name];
    if (intents && (process.intent === undefined || !intents.includes(process.intent)))
      throw new BrokenPromise('intent', `${name} with the open intent ${process.intent ?? 'none'}`);
    if (name === 'service.retire') this.#beforeRetire(process, call.args);
  }

  /** After an effect: what it broke. */
  after(process: Process, call: Call, answer: unknown): void {
    const name = nameOfCall(call);
    if (name === 'log.record') this.#noteIntent(process, call.args);
    if (name === 'service.accepts') this.#noteRefusals(process, call.args, answer);
    if (name === 'service.retire' && process.endingInUse !== undefined)
      throw new BrokenPromise('sessions', process.endingInUse);
    if (name === 'service.change') this.#knowLogin(call.args[0]);
    if (name === 'store.stage')
      for (const vault of this.#ground.vaults) this.#know(vault.find(secret)?.shelf.pending?.text);
    if (name === 'state.create' || name === 'state.replace') this.#afterJournal(process, call);
    if (intentsOf[name]) this.#afterEffect(process, name);
  }

  /** A login that a consumer may still have in its memory. */
  cached(): PlainLogin | undefined {
    return [...this.#promised.values()][0]?.login;
  }

  /** The whole of what is wrong now, whoever did it. */
  wrongNow(): readonly string[] {
    return [...this.#look()];
  }

  /** Values that are valid at the service and that no store hands out. */
  strays(): readonly string[] {
    const { fleet } = this.#ground.host;
    const kept = new Set(this.#liveLogins().flatMap(({ login }) => (login ? [this.#digest(login)] : [])));
    const found: string[] = [];
    for (const name of fleet.setup.endpoints)
      for (const slot of this.#ground.host.options.slots)
        for (const digest of new Set([...fleet.written(name, slot), ...fleet.shown(name, slot)]))
          if (!kept.has(digest)) found.push(`${this.nameOfDigest(slot, digest)} at ${name}`);
    return found;
  }

  /** A value of the service, as stories name it. */
  nameOfDigest(slot: string, digest: string): string {
    const known = this.logins.find((login) => login.slot === slot && this.#digest(login) === digest);
    return known ? (this.names.get(keyOf(known)) ?? '') : `${slot}#unknown`;
  }

  #digest({ value }: PlainLogin): string | undefined {
    return this.#ground.host.fleet.digest(value);
  }

  #know(text: string | undefined): void {
    const login = text === undefined ? undefined : loginIn(text);
    if (login) this.know(login);
  }

  #knowLogin(arg: unknown): void {
    const login = arg as Login;
    this.know({ slot: login.slot, value: login.value.open() });
  }

  #liveLogins() {
    return this.#ground.vaults.map((vault, at) => {
      const text = this.#ground.live(vault);
      return { at, login: text === undefined ? undefined : loginIn(text) };
    });
  }

  /** What is wrong now, in words that name the place and not the moment. */
  #look(): ReadonlySet<string> {
    const wrong = new Set<string>();
    const { host, now } = this.#ground;
    for (const { at, login } of this.#liveLogins()) {
      if (!login) wrong.add(`what store${at} hands out is no login`);
      else {
        this.#promised.set(keyOf(login), { login, last: now });
        for (const name of this.#refusing(login)) wrong.add(`what store${at} hands out is refused at ${name}`);
      }
    }
    for (const [key, { login, last }] of this.#promised) {
      if (now >= last + this.#windowMs()) this.#promised.delete(key);
      else
        for (const name of this.#refusing(login))
          wrong.add(`${this.names.get(key)} in its window is refused at ${name}`);
    }
    const durable = this.#durable();
    for (const name of host.fleet.setup.endpoints)
      if (durable.every((login) => this.#refusing(login).includes(name)))
        wrong.add(`nothing durable logs in at ${name}`);
    return wrong;
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
    const isKnown = digest !== undefined && (fleet.state.known[login.slot]?.includes(digest) ?? false);
    const lets = (values: readonly string[]) =>
      fleet.setup.strategy === 'replacing'
        ? isKnown && values.length > 0
        : digest !== undefined && values.includes(digest);
    return fleet.setup.endpoints.flatMap((name) => {
      if (!lets(fleet.shown(name, login.slot))) return [name];
      return lets(fleet.written(name, login.slot)) ? [] : [`${name} once it has caught up`];
    });
  }

  #afterEffect(process: Process, name: string): void {
    const before = this.#wrong;
    this.#wrong = this.#look();
    const fresh = [...this.#wrong].filter((what) => !before.has(what));
    if (fresh.length === 0 || process.isStale || this.isWeak) return;
    const lockedOut = fresh.find((what) => what.startsWith('nothing durable'));
    if (lockedOut !== undefined)
      throw new BrokenPromise(
        this.#isUrgent() ? `nothing logs in (urgent, ${this.#ground.setting.strategy})` : 'nothing logs in',
        `after ${name}: ${lockedOut}`,
      );
    if (this.#ground.setting.strategy === 'single' || this.#isUrgent()) return;
    const noClock = !this.#ground.setting.clock && this.#ground.setting.skews.some((skew) => skew !== 0);
    const kept = fresh.filter((what) => !(noClock && what.includes('in its window')));
    const [what] = kept.toSorted((one, other) => Number(one.includes('window')) - Number(other.includes('window')));
    if (what !== undefined)
      throw new BrokenPromise(what.includes('window') ? 'window' : 'handed out', `after ${name}: ${what}`);
  }

  #isUrgent(): boolean {
    const journal = this.#ground.journal();
    return journal !== undefined && isEmergency(journal);
  }

  #noteIntent(process: Process, [event]: readonly unknown[]): void {
    const { action, stage } = event as AuditEvent;
    if (stage === 'intent') process.intent = action;
    if (stage === 'outcome') process.intent = undefined;
  }

  #noteRefusals(process: Process, [login]: readonly unknown[], answers: unknown): void {
    const { slot, value } = login as Login;
    for (const { endpoint, answer } of answers as readonly { endpoint: string; answer: string }[]) {
      const key = `${slot} ${value.open()} at ${endpoint}`;
      if (answer !== 'refused') continue;
      if (process.refused.has(key))
        throw new BrokenPromise('one failed login', `${this.names.get(`${slot} ${value.open()}`)} at ${endpoint}`);
      process.refused.add(key);
    }
  }

  #beforeRetire(process: Process, [slot, keep, , options]: readonly unknown[]): void {
    this.handsAtRetire = this.hands;
    process.endingInUse = undefined;
    if (process.isStale || this.#isUrgent()) return;
    // Whether it happens is decided under the fence, later.
    if ((options as { endSessions: boolean } | undefined)?.endSessions)
      process.endingInUse = 'an ordinary rotation ends sessions';
    const { setting, host } = this.#ground;
    if (setting.sessionsSeen === 'none' || setting.strategy === 'single' || this.isWeak) return;
    const kept = keep && (keep as Login).value.open();
    const open = host.state.sessions.filter(
      (one) => one.slot === slot && this.sessionLogins.get(one.id)?.value !== kept,
    );
    if (open.length > 0) process.endingInUse = `${String(slot)} ends, and ${open.length} sessions are on it`;
  }

  #afterJournal(process: Process, { args: [key] }: Call): void {
    if (!String(key).startsWith('rotations/')) return;
    const journal = this.#ground.journal();
    if (!journal) return;
    this.phases.add(
      `${journal.phase}${journal.emergency ? '!' : ''}${journal.blocked ? `:${journal.blocked.reason}` : ''}`,
    );
    for (const { reason } of journal.orders) if (!this.leaked.has(reason)) this.leaked.set(reason, [...this.logins]);
    if (journal.phase === 'done' && journal.orders.length === 0 && journal.drain) this.#atDone(process, journal);
  }

  #atDone(process: Process, journal: Journal): void {
    const reasons = journal.emergency?.orders.map(({ reason }) => reason) ?? [];
    for (const reason of reasons) this.leaked.delete(reason);
    if (process.isStale || this.isWeak || this.hands !== this.handsAtRetire) return;
    const strays = this.strays();
    if (strays.length > 0 && journal.proof !== 'value-gone')
      throw new BrokenPromise(
        journal.emergency ? 'leaked value lives' : 'other value lives',
        `done (${journal.proof}), and valid is still ${strays.join(', ')}`,
      );
  }
}
