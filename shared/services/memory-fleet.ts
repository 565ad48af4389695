import { LockkeeperError } from '../base/error.ts';
import type { Slot, Strategy, ValueKind } from './contract.ts';
import {
  afterWrite,
  emptyService,
  writtenTo,
  type Digest,
  type MemoryEndpoint,
  type MemoryServiceState,
  type OpenSession,
} from './memory-state.ts';
import { digestOf } from './memory-value.ts';

/** What never changes about the endpoints of a service in memory. */
export interface MemoryFleetSetup {
  readonly strategy: Strategy;
  readonly endpoints: readonly string[];
  /** `shared`: the first endpoint is written to and the others follow. `each`: every one is written to. */
  readonly fleet: 'shared' | 'each';
  /** Values a slot holds at once. */
  readonly capacity: number;
  readonly kind: ValueKind['kind'];
}

/** The endpoints of a service in memory: what each shows, and the sessions on it. */
export class MemoryFleet {
  readonly setup: MemoryFleetSetup;
  state: MemoryServiceState;
  readonly #digests = new Map<string, Digest | undefined>();

  constructor(setup: MemoryFleetSetup) {
    this.setup = setup;
    this.state = emptyService(setup.endpoints);
  }

  /** Replaces a part of the state. */
  set(change: Partial<MemoryServiceState>): void {
    this.state = { ...this.state, ...change };
  }

  /** The endpoint of this name; `not-found` where there is none. */
  endpoint(name: string): MemoryEndpoint {
    const found = this.state.endpoints[name];
    if (found) return found;
    throw new LockkeeperError('not-found', `the service in memory has no endpoint ${name}`, {
      hint: 'Name one of its endpoints.',
    });
  }

  /** Replaces a part of one endpoint. */
  setEndpoint(name: string, change: Partial<MemoryEndpoint>): void {
    this.set({ endpoints: { ...this.state.endpoints, [name]: { ...this.endpoint(name), ...change } } });
  }

  /** All endpoints, or the one that is named. */
  named(endpoint: string | undefined): readonly string[] {
    return endpoint === undefined ? this.setup.endpoints : [endpoint];
  }

  /** Where changes are made. */
  writable(): readonly string[] {
    return this.setup.fleet === 'each' ? this.setup.endpoints : this.setup.endpoints.slice(0, 1);
  }

  /** Throws `unreachable` where the endpoint is silent. */
  checkUp(name: string): void {
    if (this.endpoint(name).isUp) return;
    throw new LockkeeperError('unreachable', `${name} of the service in memory does not answer`, {
      hint: 'Bring it up again.',
    });
  }

  /** Throws `unreachable` where no endpoint answers that takes changes. */
  checkAnyUp(): void {
    const names = this.writable();
    if (!names.some((name) => this.endpoint(name).isUp)) for (const name of names) this.checkUp(name);
  }

  /** What the service keeps of a value; undefined where it is none of its kind. */
  digest(value: string): Digest | undefined {
    if (this.#digests.has(value)) return this.#digests.get(value);
    const digest = digestOf(this.setup.kind, value);
    this.#digests.set(value, digest);
    return digest;
  }

  /** The values that an endpoint shows for a slot. */
  shown(name: string, slot: Slot): readonly Digest[] {
    return this.endpoint(name).shown[slot] ?? [];
  }

  /** The values that were last written to an endpoint for a slot. */
  written(name: string, slot: Slot): readonly Digest[] {
    return writtenTo(this.endpoint(name))[slot] ?? [];
  }

  /** True where the endpoint shows the value. */
  shows(name: string, slot: Slot, value: string): boolean {
    const digest = this.digest(value);
    return digest !== undefined && this.shown(name, slot).includes(digest);
  }

  /** True where a client that read this value gets in at the endpoint. */
  letsIn(name: string, slot: Slot, value: string): boolean {
    if (this.setup.strategy !== 'replacing') return this.shows(name, slot, value);
    const digest = this.digest(value);
    const isKnown = digest !== undefined && (this.state.known[slot]?.includes(digest) ?? false);
    return isKnown && this.shown(name, slot).length > 0;
  }

  /** Writes the values of a slot at one endpoint; in a shared fleet the others follow, those that are silent later. */
  write(name: string, slot: Slot, values: readonly Digest[]): void {
    const written = { ...writtenTo(this.endpoint(name)), [slot]: values };
    this.setEndpoint(name, afterWrite(this.endpoint(name), written));
    this.#know(slot, values);
    if (this.setup.fleet === 'each') return;
    for (const follower of this.setup.endpoints.filter((one) => one !== name)) {
      const endpoint = this.endpoint(follower);
      this.setEndpoint(follower, endpoint.isUp ? afterWrite(endpoint, written) : { next: written });
    }
  }

  /** Writes the values of a slot at one endpoint alone, as an administrator there would. */
  writeByHand(name: string, slot: Slot, values: readonly Digest[]): void {
    const { shown, next } = this.endpoint(name);
    this.setEndpoint(name, { shown: { ...shown, [slot]: values }, next: next && { ...next, [slot]: values } });
    this.#know(slot, values);
  }

  /** Clients get in with nothing but what some endpoint has, and with `keep` where they did so far. */
  forget(slot: Slot, keep: Digest | undefined): void {
    if (this.setup.strategy !== 'replacing') return;
    const there = this.setup.endpoints.flatMap((name) => this.written(name, slot));
    const known = (this.state.known[slot] ?? []).filter((one) => one === keep || there.includes(one));
    this.set({ known: { ...this.state.known, [slot]: known } });
  }

  /** Keeps a session open and answers it. */
  opened(session: Omit<OpenSession, 'id'>): OpenSession {
    const opened = { ...session, id: this.state.opened + 1 };
    this.set({ opened: opened.id, sessions: [...this.state.sessions, opened] });
    return opened;
  }

  /** Ends the sessions that `isEnded` names. */
  endSessions(isEnded: (session: OpenSession) => boolean): void {
    this.set({ sessions: this.state.sessions.filter((session) => !isEnded(session)) });
  }

  /** Counts a login that was refused. */
  countFailure(name: string, slot: Slot): void {
    const counts = this.state.failedLogins[name] ?? {};
    const failedLogins = { ...this.state.failedLogins, [name]: { ...counts, [slot]: (counts[slot] ?? 0) + 1 } };
    this.set({ failedLogins });
  }

  #know(slot: Slot, values: readonly Digest[]): void {
    if (this.setup.strategy !== 'replacing') return;
    const known = [...new Set([...(this.state.known[slot] ?? []), ...values])];
    this.set({ known: { ...this.state.known, [slot]: known } });
  }
}
