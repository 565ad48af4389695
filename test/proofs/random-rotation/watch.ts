import type { AuditEvent } from '../../../shared/audit/entry.ts';
import type { Journal } from '../../../shared/rotation/journal/journal.ts';
import { isEmergency } from '../../../shared/rotation/decisions/trouble.ts';
import type { Login, LoginAnswer, Slot } from '../../../shared/services/contract.ts';
import { secret, type Ground } from './ground.ts';
import type { Hearing } from './observed.ts';
import type { Process } from './process.ts';
import { Truth } from './truth.ts';
import type { PlainLogin } from './values.ts';

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
export class Watch implements Hearing {
  readonly #ground: Ground;
  readonly truth: Truth;
  #wrong: ReadonlySet<string> = new Set();
  #handsAtRetire = -1;
  #wasDone = true;
  /** Reasons of emergencies that were ordered and are not done. */
  readonly ordered = new Set<string>();
  /** The login of each session. */
  readonly sessionLogins = new Map<number, PlainLogin>();
  /** How often persons and the world touched the service. */
  hands = 0;
  /** Several runs at once, where neither fence nor store holds a paused writer back: less is promised. */
  isWeak = false;
  /** The journal was lost: what was staged under it may stay. */
  isJournalLost = false;
  /** Phases and blocks that journals reached. */
  readonly phases = new Set<string>();

  constructor(ground: Ground) {
    this.#ground = ground;
    this.truth = new Truth(ground);
    this.byOthers();
  }

  /** True where persons and the world left the service alone since lockkeeper last ended a value. */
  get isUntouched(): boolean {
    return this.hands === this.#handsAtRetire;
  }

  /** Something was done by a person, by the world or by time. */
  byOthers(): void {
    this.#wrong = this.truth.wrong();
  }

  /** A person wrote to a store: what is handed out nowhere any more is not lockkeeper's promise. */
  byHandInStore(): void {
    this.truth.learn();
    this.truth.promiseOnlyWhatIsHandedOut();
    this.byOthers();
  }

  /** Nothing is promised of values but for those that stores still show. */
  journalLost(): void {
    this.isJournalLost = true;
    const before = this.#ground.vaults.map((vault) => vault.find(secret)?.shelf.earlier[0]?.text);
    this.truth.promiseOnlyWhatIsHandedOut(before);
  }

  beforeEffect(process: Process, name: string): void {
    const intents = intentsOf[name];
    if (intents && (process.intent === undefined || !intents.includes(process.intent)))
      throw new BrokenPromise('intent', `${name} with the open intent ${process.intent ?? 'none'}`);
  }

  /** What an effect broke. */
  afterEffect(process: Process, name: string): void {
    if (!intentsOf[name]) return;
    this.truth.learn();
    const before = this.#wrong;
    this.#wrong = this.truth.wrong();
    const fresh = [...this.#wrong].filter((what) => !before.has(what));
    if (fresh.length === 0 || process.isStale || this.isWeak) return;
    const isUrgent = this.#isUrgent();
    const lockedOut = fresh.find((what) => what.startsWith('nothing durable'));
    // An emergency goes on without the endpoints that are silent, and says so.
    if (lockedOut !== undefined && !(isUrgent && lockedOut.endsWith('silent')))
      throw new BrokenPromise(`nothing logs in${isUrgent ? ' (urgent)' : ''}`, `after ${name}: ${lockedOut}`);
    if (this.#ground.setting.strategy === 'single' || isUrgent) return;
    // The only clock there is may be wrong.
    const { clock, skews } = this.#ground.setting;
    if (!clock && skews.some((skew) => skew !== 0)) return;
    const handedOut = fresh.find((what) => !what.includes('in its window'));
    if (handedOut !== undefined) throw new BrokenPromise('handed out', `after ${name}: ${handedOut}`);
    throw new BrokenPromise('window', `after ${name}: ${fresh[0]}`);
  }

  noteLogin(login: Login): void {
    this.truth.know({ slot: login.slot, value: login.value.open() });
  }

  /** At most one failed login a candidate a run, at each endpoint. */
  noteAnswers(process: Process, { slot, value }: Login, answers: readonly LoginAnswer[]): void {
    const name = this.truth.nameOf({ slot, value: value.open() });
    for (const { endpoint, answer } of answers) {
      if (answer !== 'refused') continue;
      if (process.refused.has(`${name} at ${endpoint}`))
        throw new BrokenPromise('one failed login', `${name} at ${endpoint}`);
      process.refused.add(`${name} at ${endpoint}`);
    }
  }

  noteEntry(process: Process, { action, stage }: AuditEvent): void {
    if (stage === 'intent') process.intent = action;
    if (stage === 'outcome') process.intent = undefined;
  }

  /** Sessions on what ends, and the end of sessions. Whether it happens is decided under the fence, later. */
  beforeRetire(process: Process, slot: Slot, keep: Login | undefined, endSessions: boolean): void {
    process.endingInUse = undefined;
    if (process.isStale || this.#isUrgent()) return;
    const { setting, host } = this.#ground;
    if (endSessions) process.endingInUse = 'an ordinary rotation ends sessions';
    if (setting.sessionsSeen === 'none' || setting.strategy === 'single' || this.isWeak) return;
    const kept = keep?.value.open();
    const open = host.state.sessions.filter(
      (one) => one.slot === slot && this.sessionLogins.get(one.id)?.value !== kept,
    );
    if (open.length > 0) process.endingInUse = `${slot} ends, and ${open.length} sessions are on it`;
  }

  afterRetire(process: Process): void {
    this.#handsAtRetire = this.hands;
    if (process.endingInUse !== undefined) throw new BrokenPromise('sessions', process.endingInUse);
  }

  noteJournal(process: Process): void {
    const journal = this.#ground.journal();
    if (!journal) return;
    const { phase, emergency, blocked, orders } = journal;
    this.phases.add(`${phase}${emergency ? '!' : ''}${blocked ? `:${blocked.reason}` : ''}`);
    for (const { reason } of orders) this.ordered.add(reason);
    const wasDone = this.#wasDone;
    this.#wasDone = phase === 'done' && orders.length === 0;
    if (this.#wasDone && !wasDone && journal.drain) this.#atDone(process, journal);
  }

  /** At done nothing is valid but what is handed out; where nobody could prove it, the journal says so. */
  #atDone(process: Process, { emergency, proof }: Journal): void {
    for (const { reason } of emergency?.orders ?? []) this.ordered.delete(reason);
    this.truth.promiseOnlyWhatIsHandedOut();
    if (process.isStale || this.isWeak || !this.isUntouched || proof === 'value-gone') return;
    const strays = this.truth.strays();
    if (strays.length > 0)
      throw new BrokenPromise(
        emergency ? 'leaked value lives' : 'other value lives',
        `done (${proof}), and valid is still ${strays.join(', ')}`,
      );
  }

  #isUrgent(): boolean {
    const journal = this.#ground.journal();
    return journal !== undefined && isEmergency(journal);
  }
}
