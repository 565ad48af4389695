import { createHash } from 'node:crypto';
import { Sealed } from '../base/sealed.ts';
import type { World } from '../base/world.ts';
import type { Issuer, Slot } from './contract.ts';

/** What is issued and not recalled, by rotation and slot, as serial numbers. Plain data that is never altered. */
export interface MemoryIssuerState {
  readonly issued: Readonly<Record<string, Readonly<Record<Slot, number>>>>;
  /** The last serial number. */
  readonly last: number;
}

/** An authority in this process. Its values follow from their serial numbers, so that its state holds no secret. */
export class MemoryAuthority {
  #state: MemoryIssuerState = { issued: {}, last: 0 };
  readonly #seed: string;

  constructor(world: World) {
    this.#seed = Buffer.from(world.random(16)).toString('hex');
  }

  /** All that can change, as it is now. */
  get state(): MemoryIssuerState {
    return this.#state;
  }

  /** Goes back to an earlier state of this authority. */
  restore(state: MemoryIssuerState): void {
    this.#state = state;
  }

  /** The value issued for the rotation and slot, made where there is none. */
  issue(rotation: string, slot: Slot): string {
    const { issued, last } = this.#state;
    const serial = issued[rotation]?.[slot];
    if (serial !== undefined) return this.#value(serial);
    const next = last + 1;
    this.#state = { issued: { ...issued, [rotation]: { ...issued[rotation], [slot]: next } }, last: next };
    return this.#value(next);
  }

  /** Ends what was issued for the rotation. */
  recall(rotation: string): void {
    const { [rotation]: ended, ...issued } = this.#state.issued;
    if (ended) this.#state = { ...this.#state, issued };
  }

  /** True where the value was issued and not recalled. */
  isAlive(value: string): boolean {
    return Object.values(this.#state.issued).some((slots) =>
      Object.values(slots).some((serial) => this.#value(serial) === value),
    );
  }

  #value(serial: number): string {
    return createHash('sha256').update(`${this.#seed}:${serial}`).digest('base64url').slice(0, 32);
  }
}

/** An issuer on `authority`: repeating `issue` answers the same value until the rotation is recalled. Never fails. */
export function memoryIssuer(authority: MemoryAuthority): Issuer {
  return {
    issue: async (rotation, slot) => new Sealed(authority.issue(rotation, slot)),
    recall: async (rotation) => authority.recall(rotation),
  };
}
