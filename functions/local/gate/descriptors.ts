import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { systemCode } from '../system-code.ts';

/**
 * How many files and sockets the process may still open. Where none is left the system drops connections and tells
 * nobody, so the doors stop before: they refuse while they still can say so in the flow log.
 */
export class Descriptors {
  readonly #limit: number;
  readonly #reserve: number;
  /** Sockets of the doors, and what everything else held when it was last counted. */
  #taken = 0;
  #others = 0;

  constructor(limit = systemLimit()) {
    this.#limit = limit;
    this.#reserve = Math.min(64, Math.ceil(limit / 4));
    this.look();
  }

  /** Takes two, for a client and its way to the service; false where too few are left. */
  takePair(): boolean {
    if (this.#others + this.#taken + 2 > this.#limit - this.#reserve) return false;
    this.#taken += 2;
    return true;
  }

  givePair(): void {
    this.#taken -= 2;
  }

  /** Counts anew what everything else holds. */
  look(): void {
    if (this.#limit === Number.POSITIVE_INFINITY) return;
    const held = whereLeft(() => readdirSync('/proc/self/fd').length);
    this.#others = Math.max(0, (held ?? this.#limit) - this.#taken);
  }

  /** False where none is left at this moment, so that the system may have dropped connections unseen. */
  hasOne(): boolean {
    const opened = whereLeft(() => openSync('/', 'r'));
    if (opened !== undefined) closeSync(opened);
    return opened !== undefined;
  }
}

/** Undefined where there was no descriptor for it. */
function whereLeft<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (systemCode(error) === 'EMFILE' || systemCode(error) === 'ENFILE') return undefined;
    throw error;
  }
}

let own: Descriptors | undefined;

/** Those of this process, which all its gates share. */
export function processDescriptors(): Descriptors {
  return (own ??= new Descriptors());
}

/** No limit is known where the system does not tell: then errors alone are heard. */
function systemLimit(): number {
  if (process.platform !== 'linux') return Number.POSITIVE_INFINITY;
  const [, soft = ''] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return soft === '' ? Number.POSITIVE_INFINITY : Number(soft);
}
