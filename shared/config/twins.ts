import type { Mistake } from './mistakes.ts';
import type { Rough, RoughService } from './rough.ts';
import type { Path } from './source.ts';

/** Names, ports and secrets that stand twice where once is meant. */
export function twins(config: Rough): readonly Mistake[] {
  const { services } = config;
  const logs = Object.entries(config.networks).flatMap(([network, { flowLogs }]) =>
    flowLogs.map((log, at) => ({ name: log.name, path: ['networks', network, 'flowLogs', at, 'name'] })),
  );
  const secrets = services.flatMap(({ credential }, at) =>
    (credential?.secrets ?? []).map((one, n) => ({
      ...one,
      path: ['services', at, 'credential', 'secrets', n, 'name'],
    })),
  );
  return [
    ...sameAgain(
      services.map((one, at) => ({ key: one.name, path: ['services', at, 'name'] })),
      'is the name of two services',
    ),
    ...sameAgain(
      services.map((one, at) => ({ key: portKey(one), path: ['services', at, 'port'] })),
      'is the port of two services of one network',
    ),
    ...sameAgain(
      logs.map((one) => ({ key: one.name, path: one.path })),
      'is the name of two flow logs',
    ),
    ...sameAgain(
      secrets.map((one) => ({ key: one.store && one.name && `${one.store}/${one.name}`, path: one.path })),
      'is the secret of two credentials',
    ),
    ...services.flatMap(({ credential }, at) =>
      sameAgain(
        (credential?.refreshes ?? []).map(({ name }, n) => ({
          key: name,
          path: ['services', at, 'credential', 'refreshes', n, 'name'],
        })),
        'is the name of two receivers',
      ),
    ),
    ...sameAgain(
      (config.approvals?.approvers ?? []).map((who, at) => ({
        key: who || undefined,
        path: ['approvals', 'approvers', at],
      })),
      'stands there twice',
    ),
    ...sameAgain(
      config.audit.witnesses.map(({ key }, at) => ({ key, path: ['audit', 'witnesses', at, 'key'] })),
      'is the key of two witnesses',
    ),
  ];
}

function portKey({ network, port, protocol }: RoughService): string | undefined {
  return network === undefined || port === undefined ? undefined : `${network} ${protocol} ${port}`;
}

function sameAgain(
  all: readonly { readonly key: string | undefined; readonly path: Path }[],
  what: string,
): readonly Mistake[] {
  const first = new Map<string, Path>();
  return all.flatMap(({ key, path }) => {
    if (key === undefined) return [];
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, path);
    return earlier === undefined ? [] : [{ path, what, hint: 'The first is', see: earlier }];
  });
}
