import { Sealed } from '../../shared/base/sealed.ts';
import type { ConsumerAddress } from '../../shared/rotation/forms/form.ts';
import { urlForm } from '../../shared/rotation/forms/url.ts';
import type { Login } from '../../shared/services/contract.ts';

/**
 * The environment variables with which clients of the engine log in, DATABASE_URL for all of them. A variable that is
 * undefined must not be there: it would lead the client elsewhere. `invalid` where no URL can hold the login.
 */
export function loginVariables(address: ConsumerAddress, login: Login): ReadonlyMap<string, Sealed | undefined> {
  const url = urlForm.write(undefined, login, address);
  return new Map([['DATABASE_URL', url], ...(engines[address.engine]?.(address, login) ?? [])]);
}

type Variables = readonly (readonly [name: string, value: Sealed | undefined])[];

const engines: Readonly<Record<string, ((address: ConsumerAddress, login: Login) => Variables) | undefined>> = {
  // https://www.postgresql.org/docs/current/libpq-envars.html; a service file goes before the other variables.
  postgres: ({ host, port, dbname }, { slot, value }) => [
    ['PGHOST', new Sealed(host)],
    ['PGPORT', new Sealed(String(port))],
    ['PGUSER', new Sealed(slot)],
    ['PGPASSWORD', value],
    ['PGDATABASE', dbname === undefined ? undefined : new Sealed(dbname)],
    ['PGHOSTADDR', undefined],
    ['PGSERVICE', undefined],
  ],
};
