import type { Strategy } from '../../../shared/services/contract.ts';
import type { Before, Ground } from './ground.ts';

/** One way in which the stores, the service and the journal can differ. */
export interface Way {
  readonly name: string;
  /** Two ways that touch the same thing are not done at once. */
  readonly touches: readonly string[];
  /** Where it makes sense; everywhere unless given. */
  readonly before?: readonly Before[];
  readonly strategies?: readonly Strategy[];
  readonly stores?: (vault: Ground['setting']['vault']) => boolean;
  apply(ground: Ground): void;
  /** The ids of all that must be found, told before it is applied. */
  ids(ground: Ground): readonly string[];
  /** Findings of these kinds cannot be seen beside it. */
  readonly hides?: readonly string[];
  /** The same, where it depends on the setting. */
  readonly alsoHides?: (setting: Ground['setting']) => readonly string[];
  /** What another way may bring to light together with it. */
  readonly mayAlso?: readonly string[];
  /** What a person does about it by hand; left out: only what the finding says to type. */
  readonly mend?: (ground: Ground) => void;
  /** The id whose command is typed after that; left out: none. */
  readonly typed?: (ground: Ground) => string;
}

/** The users of a pair, else the only one twice. */
export function idleOf({ login, setting }: Ground): string {
  if (setting.strategy !== 'alternating') return login.slot;
  return login.slot === 'app_a' ? 'app_b' : 'app_a';
}

/** `user@endpoint`. */
export function at({ login }: Ground, endpoint: string): string {
  return `${login.slot}@${endpoint}`;
}
