import type pg from 'pg';
import type { LockkeeperError } from '../base/error.ts';
import type { OurValues } from '../base/our-values.ts';
import { Sealed } from '../base/sealed.ts';
import type { Login, Slot } from './contract.ts';
import {
  questionOf,
  withConnection,
  type Connected,
  type PostgresAuthentication,
  type PostgresTarget,
  type PostgresTls,
  type Question,
} from './postgres-connection.ts';
import { postgresError } from './postgres-errors.ts';
import { isRefusal } from './postgres-refusals.ts';

/** lockkeeper's own login at a server. */
export interface PostgresAdmin {
  readonly user: string;
  readonly password: Sealed;
}

/** What every connection of one driver has in common. */
export interface PostgresAccessOptions {
  readonly database: string;
  readonly tls: PostgresTls;
  /** `scram` unless given. */
  readonly authentication?: PostgresAuthentication;
  /** Asked by every connection, so that lockkeeper's own login can be rotated, too. */
  readonly admin: () => Promise<PostgresAdmin>;
  readonly applicationName: string;
  /** Learns every password that is shown to a server. */
  readonly ours: OurValues;
}

/** What came of asking one endpoint. */
export type Attempt<T> =
  { readonly answer: T; readonly error?: undefined } | { readonly error: LockkeeperError; readonly answer?: undefined };

/** What is done on one connection. */
export type Work<T> = (client: pg.Client, how: Connected) => Promise<T>;

/** Opens connections: the login and the authority are read anew for each. */
export class PostgresAccess {
  readonly #options: PostgresAccessOptions;

  constructor(options: PostgresAccessOptions) {
    this.#options = options;
  }

  /** Where and how a consumer logs in. Throws where the authority cannot be opened. */
  async target(endpoint: string, login: Login): Promise<PostgresTarget> {
    this.#options.ours.add(login.value);
    return this.#target(endpoint, login);
  }

  /** How an endpoint asks for the password of a user, without showing one; see `questionOf`. */
  async question(endpoint: string, slot: Slot): Promise<Question | undefined> {
    return questionOf(await this.#target(endpoint, { slot, value: new Sealed('') }));
  }

  async #target(endpoint: string, { slot, value }: Login): Promise<PostgresTarget> {
    const { database, tls, authentication = 'scram', applicationName } = this.#options;
    return {
      endpoint,
      database,
      tls: typeof tls === 'string' ? tls : { ca: await tls.ca() },
      authentication,
      user: slot,
      password: value,
      applicationName,
    };
  }

  /**
   * Runs `work` as lockkeeper and answers what the endpoint did; throws only where lockkeeper's own login or the
   * authority cannot be opened. `tried` says what was tried, for the error.
   */
  async attempt<T>(endpoint: string, tried: string, work: Work<T>): Promise<Attempt<T>> {
    const first = await this.#admin(endpoint);
    const came = await attempted(first, tried, work);
    if (came.error === undefined || !came.wasRefused) return came;
    const second = await this.#admin(endpoint);
    // It was rotated between reading it and logging in. The same login again would only count as one more failure.
    if (second.user === first.user && second.password.equals(first.password)) return came;
    return attempted(second, tried, work);
  }

  /** As attempt, but what the endpoint did is thrown, too. */
  async asAdmin<T>(endpoint: string, tried: string, work: Work<T>): Promise<T> {
    const came = await this.attempt(endpoint, tried, work);
    if (came.error !== undefined) throw came.error;
    return came.answer;
  }

  async #admin(endpoint: string): Promise<PostgresTarget> {
    const { user, password } = await this.#options.admin();
    return this.target(endpoint, { slot: user, value: password });
  }
}

async function attempted<T>(
  target: PostgresTarget,
  tried: string,
  work: Work<T>,
): Promise<Attempt<T> & { readonly wasRefused?: boolean }> {
  let isIn = false;
  try {
    const answer = await withConnection(target, (client, how) => {
      isIn = true;
      return work(client, how);
    });
    return { answer };
  } catch (thrown) {
    return {
      error: postgresError(thrown, `${tried} at ${target.endpoint}`),
      wasRefused: !isIn && isRefusal(thrown, target.user),
    };
  }
}
