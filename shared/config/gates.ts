import type { Mistake } from './mistakes.ts';
import type { Rough } from './rough.ts';

/** What is wrong with the networks whose gate lockkeeper is to run itself, and with the services behind such a gate. */
export function gateMistakes({ networks, services }: Rough): readonly Mistake[] {
  const run = new Set(Object.keys(networks).filter((name) => networks[name]?.firewall?.run === true));
  const clouds = [...run].flatMap((name) => cloudMistake(name, networks[name]?.cloud));
  const behind = services.flatMap((service, at) =>
    service.network !== undefined && run.has(service.network) ? serviceMistakes(service, at) : [],
  );
  return [...clouds, ...behind];
}

function cloudMistake(name: string, cloud: string | undefined): readonly Mistake[] {
  if (cloud !== 'kubernetes' && cloud !== 'local') return [];
  const hint = 'A gate that lockkeeper runs writes flow logs as aws, gcp or azure do: choose one of them.';
  return [{ path: ['networks', name, 'cloud'], what: 'is no cloud of a gate that lockkeeper runs', hint }];
}

function serviceMistakes({ forwardTo, protocol }: Rough['services'][number], at: number): readonly Mistake[] {
  const path = ['services', at];
  if (protocol === 'udp') {
    return [{ path: [...path, 'protocol'], what: 'is udp', hint: 'A gate that lockkeeper runs forwards tcp only.' }];
  }
  const hint = 'Behind a gate that lockkeeper runs, say where it listens: forwardTo: 127.0.0.1:PORT.';
  if (forwardTo === undefined) return [{ path: [...path, 'forwardTo'], what: 'is missing', hint }];
  if (/^(127\.0\.0\.1|localhost):/.test(forwardTo)) return [];
  return [{ path: [...path, 'forwardTo'], what: 'is not on this machine', hint }];
}
