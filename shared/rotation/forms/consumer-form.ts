import { envForm, type EnvKeys } from './env.ts';
import type { ConsumerForm } from './form.ts';
import { jsonForm, type JsonFields } from './json.ts';
import { pemForm } from './pem.ts';
import { plainForm } from './plain.ts';
import { urlForm } from './url.ts';

/** Every form, as the configuration names it. */
export const formNames = ['json', 'plain', 'url', 'env', 'pem'] as const;

/** How a secret's text holds the login; without `form` it is json with the members username and password. */
export type FormSpec =
  | ({ readonly form?: 'json' | undefined } & { readonly [field in keyof JsonFields]?: string | undefined })
  | { readonly form: 'plain' }
  | { readonly form: 'url' }
  | ({ readonly form: 'env' } & EnvKeys)
  | { readonly form: 'pem' };

/** The form of `spec`. An env form without any key has DB_USER and DB_PASSWORD. */
export function consumerForm(spec: FormSpec = {}): ConsumerForm {
  switch (spec.form) {
    case undefined:
    case 'json':
      return jsonForm({
        usernameField: spec.usernameField ?? 'username',
        passwordField: spec.passwordField ?? 'password',
      });
    case 'plain':
      return plainForm;
    case 'url':
      return urlForm;
    case 'env':
      return envForm(envKeys(spec));
    case 'pem':
      return pemForm;
  }
}

function envKeys({ userKey, passwordKey, urlKey }: EnvKeys): EnvKeys {
  const isNamed = passwordKey !== undefined || urlKey !== undefined;
  return isNamed ? { userKey, passwordKey, urlKey } : { userKey: userKey ?? 'DB_USER', passwordKey: 'DB_PASSWORD' };
}
