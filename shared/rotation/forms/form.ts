import type { Sealed } from '../../base/sealed.ts';
import type { Login, Slot } from '../../services/contract.ts';

/** Where a service listens, as consumers read it. */
export interface ConsumerAddress {
  readonly engine: string;
  readonly host: string;
  readonly port: number;
  readonly dbname?: string;
}

/**
 * How the text in a secret store holds a login: a pure pair of read and write. Besides the drivers, forms are the only
 * code that opens values, because only they know where in a text the values are. No text ever appears in an error.
 */
export interface ConsumerForm {
  /** `json`, `plain`, `url`, `env` or `pem`. */
  readonly name: string;
  /**
   * The login in `text`; `invalid` where there is none. `slots` are the service's users: a form that holds no user name
   * belongs to the only one, and is `invalid` where there are two.
   */
  read(text: Sealed, slots: readonly Slot[]): Login;
  /**
   * A text with `login` in it: `basis` with nothing else changed, or a new text of `address` where there is no basis or
   * the basis is not of this form. Reading it gives `login` again.
   */
  write(basis: Sealed | undefined, login: Login, address: ConsumerAddress): Sealed;
  /** Names of the places in `text` that repeat the value and that `write` would leave stale. Empty: none. */
  stale(text: Sealed): readonly string[];
}
