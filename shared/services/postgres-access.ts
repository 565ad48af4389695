import type pg from 'pg';
import { LockkeeperError } from '../base/error.ts';
import type { OurValues } from '../base/our-values.ts';
import { AdminLogins, type AdminLogin, type AdminOffer } from './admin-login.ts';
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

/** What every connection of one driver has in common. */
export interface PostgresAccessOptions {
  readonly database: string;
  readonly tls: PostgresTls;
  /** `scram` unless given. */
  readonly authentication?: PostgresAuthentication;
  /** Asked by every connection, so that lockkeeper's own login can be rotated, too. */
  readonly admin: () => Promise<AdminOffer>;
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
  readonly #admins: AdminLogins;

  constructor(options: PostgresAccessOptions) {
    this.#options = options;
    this.#admins = new AdminLogins(options.admin);
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
    const shown: AdminLogin[] = [];
    let refusal: Attempt<T> | undefined;
    // It may be rotated between reading it and logging in, and between its change and its publication.
    for (;;) {
      const admin = await this.#admins.next(endpoint, shown);
      if (!admin) return refused(refusal, shown.length);
      shown.push(admin);
      const target = await this.target(endpoint, { slot: admin.user, value: admin.password });
      const came = await attempted(target, tried, work);
      if (came.wasAnswered) this.#admins.heard(endpoint, admin, came.wasRefused);
      if (!came.wasRefused) return came;
      refusal ??= came;
    }
  }

  /** As attempt, but what the endpoint did is thrown, too. */
  async asAdmin<T>(endpoint: string, tried: string, work: Work<T>): Promise<T> {
    const came = await this.attempt(endpoint, tried, work);
    if (came.error !== undefined) throw came.error;
    return came.answer;
  }
}

/** What came of one login, and whether it was let in or refused; neither says anything where the connection failed. */
type Shown<T> = Attempt<T> & { readonly wasAnswered: boolean; readonly wasRefused: boolean };

async function attempted<T>(target: PostgresTarget, tried: string, work: Work<T>): Promise<Shown<T>> {
  let isIn = false;
  try {
    const answer = await withConnection(target, (client, how) => {
      isIn = true;
      return work(client, how);
    });
    return { answer, wasAnswered: true, wasRefused: false };
  } catch (thrown) {
    const wasRefused = !isIn && isRefusal(thrown, target.user);
    const error = postgresError(thrown, `${tried} at ${target.endpoint}`);
    return { error, wasAnswered: isIn || wasRefused, wasRefused };
  }
}

/** Every login of lockkeeper's own was refused; what was said to the first counts, which is the one to use. */
function refused<T>(refusal: Attempt<T> | undefined, count: number): Attempt<T> {
  if (!refusal) throw new Error('no login of its own was offered');
  if (refusal.error === undefined || count === 1) return refusal;
  const { code, message, hint, cause } = refusal.error;
  const told = `${message}; ${count - 1} more that its secret still holds: refused, too`;
  return { error: new LockkeeperError(code, told, { ...(hint !== undefined && { hint }), cause }) };
}
