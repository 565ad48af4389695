import { expect } from '@jest/globals';
import { checkConfig } from '../../shared/config/check.ts';

/** What differs between the credentials of a test. */
export interface Credential {
  readonly users?: string;
  readonly strategy?: string;
  readonly admin?: string;
  readonly secrets?: string;
  readonly more?: string;
}

/** lockkeeper's own login as most have it. */
export const own = '{ user: own, password: { file: own.password } }';

function credential(one: Credential): string {
  const { strategy = 'alternating', users = 'a, b', admin = own, secrets = '{ store: vault, name: x }', more } = one;
  return `      engine: postgres
      strategy: ${strategy}
      users: [${users}]
      ownerRole: owner
      endpoints: ["db:5432"]
      admin: ${admin}
      secrets: [${secrets}]
${more ? `      ${more}\n` : ''}`;
}

/** A configuration of services with these credentials; that of the first begins in line 13. */
export function config(...credentials: readonly Credential[]): string {
  const services = credentials.map(
    (one, at) => `  - name: s${at}
    owner: anna
    network: office
    port: ${7000 + at}
    credential:
${credential(one)}`,
  );
  return `version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
secrets:
  vault: { kind: local-file, path: vault, keyFile: vault.key }
networks: { office: { cloud: aws } }
services:
${services.join('')}`;
}

/** What is wrong, as path and what; a service's credential is written `s0`. */
export function wrong(text: string): readonly string[] {
  const { mistakes } = checkConfig(text, '/etc');
  for (const { line } of mistakes) expect(line).toBeGreaterThan(1);
  return mistakes.map(({ path, what }) => `${path} ${what}`.replace(/^services\[(\d)\]\.credential\.?/, 's$1 '));
}

/** A single user that may refuse logins. */
export const single = { strategy: 'single', users: 'a', more: 'acceptDowntime: true' };
