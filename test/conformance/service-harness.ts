import { expect } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import type {
  EndpointResult,
  Guard,
  Login,
  LoginAnswer,
  Service,
  ServiceDescription,
  Slot,
} from '../../shared/services/contract.ts';

/** A session that a consumer holds open on its own connection. */
export interface HeldSession {
  isOpen(): Promise<boolean>;
  close(): Promise<void>;
}

/** A fresh service with one credential that nobody has changed yet. */
export interface ServicePlace {
  /** Two drivers on the same service, as two processes have them. */
  readonly first: Service;
  readonly second: Service;
  /** A driver whose service does not answer. */
  readonly down: Service;
  /** What consumers use now. */
  readonly initial: Login;
  /** The user that the next value belongs to. */
  readonly target: Slot;
  /** The independent observer: a consumer's own login, true if it gets in. */
  logsIn(login: Login): Promise<boolean>;
  hold(login: Login): Promise<HeldSession>;
  close(): Promise<void>;
  /** `each` where changes are made at every endpoint; else they are made at one and the others follow. */
  readonly fleet?: 'shared' | 'each';
  /** One endpoint stops answering, or answers again; needed where `fleet` is `each`. */
  silence?(endpoint: string, isSilent: boolean): Promise<void>;
  /** The connection of `first` is gone in the middle of what it does; needed where the fence is a lock. */
  loseFirst?(): Promise<void>;
}

/** A place, what its service says of itself, and values that were never there. */
export interface ServiceCase {
  readonly place: ServicePlace;
  readonly told: ServiceDescription;
  readonly fresh: Login;
  readonly newer: Login;
  readonly newest: Login;
  /** The first login with a value that is not the service's. */
  readonly wrong: Login;
}

/** Opens a place for one test. */
export async function openCase(open: () => Promise<ServicePlace>): Promise<ServiceCase> {
  const place = await open();
  const told = await place.first.describe();
  const login = (slot: Slot, text: string): Login => ({
    slot,
    value: new Sealed(told.value.kind === 'key-pair' ? drawnKey() : text),
  });
  return {
    place,
    told,
    fresh: login(place.target, 'Fresh_value-0123456789abcdefghij'),
    newer: login(place.target, 'Newer_value-0123456789abcdefghij'),
    newest: login(place.target, 'Newest-value-0123456789abcdefghi'),
    wrong: login(place.initial.slot, 'wrong-value-00000000000000000000'),
  };
}

/** An Ed25519 private key as the contract wants it. */
export function drawnKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Lets everything through. */
export const free: Guard = async () => undefined;

/** Stops everything. */
export const stop: Guard = async () => {
  throw new LockkeeperError('conflict', 'the journal moved on');
};

/** `login` where it is one of the slot's, as `keep` is for `retire`. */
export function keptIn(slot: Slot, login: Login): Login | undefined {
  return login.slot === slot ? login : undefined;
}

/** Makes everything worthless that consumers used before `next` was published. */
export async function retireOld(
  { place }: ServiceCase,
  next: Login,
  { guard = free, by = place.first, endSessions = false } = {},
): Promise<readonly EndpointResult[]> {
  const { slot } = place.initial;
  return by.retire(slot, keptIn(slot, next), guard, { endSessions });
}

/** The answer that every endpoint gave, `except` one; `mixed` where they differ or nobody answered. */
export function answered(answers: readonly LoginAnswer[], except?: string): LoginAnswer['answer'] | 'mixed' {
  const kinds = new Set(answers.filter(({ endpoint }) => endpoint !== except).map(({ answer }) => answer));
  const [kind] = kinds;
  return kind !== undefined && kinds.size === 1 ? kind : 'mixed';
}

/** True where nobody gets in with this login, neither a consumer nor the driver on any endpoint. */
export async function isOut({ place }: ServiceCase, login: Login): Promise<boolean> {
  return !(await place.logsIn(login)) && answered(await place.first.accepts(login)) === 'refused';
}

/** How many values the slot holds: as it is told, or undefined where it need not be told and is not. */
export async function counted({ place, told }: ServiceCase, slot: Slot): Promise<number | undefined> {
  const held = (await place.first.describe()).holds[slot];
  return held ?? (told.capacity > 1 ? NaN : undefined);
}

/** It is done wherever changes are made. */
export function expectDone({ place, told }: ServiceCase, results: readonly EndpointResult[]): void {
  const names = results.map(({ endpoint }) => endpoint);
  expect(new Set(names).size).toBe(names.length);
  expect(told.endpoints).toEqual(expect.arrayContaining(names));
  expect(names.length).toBeGreaterThanOrEqual(place.fleet === 'each' ? told.endpoints.length : 1);
  expect(results.map(({ error }) => error)).toEqual(results.map(() => undefined));
}

/** True as soon as `done` says so; false after two seconds. */
export async function until(done: () => Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 80; attempt += 1) {
    if (await done()) return true;
    await pause(25);
  }
  return false;
}
