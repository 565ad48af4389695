import { inspect } from 'node:util';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import type { RotationReport } from '../../shared/rotation/run.ts';
import type { Fault, FaultProxy } from '../services/fault-proxy.ts';
import { faultPlace } from './fault-place.ts';
import { isWritten } from './killed-case.ts';
import { watched } from './killed-events.ts';
import { runUntilDone } from './killed-place.ts';
import type { Scene } from './killed-scene.ts';
import { Watch } from './killed-watch.ts';

/** Where rotations are disturbed: a scene and the proxy that stands before its server. */
export interface FaultScene {
  readonly scene: Scene;
  readonly proxy: FaultProxy;
  /** The authority (PEM) where the server is spoken to by TLS. */
  readonly ca?: string;
}

/** What became of one rotation. */
export interface FaultedCase {
  /** The faults that came about; less than were asked for where it was done before. */
  readonly injected: readonly string[];
  /** Every message between lockkeeper and the server. */
  readonly messages: readonly string[];
  readonly violations: readonly string[];
  readonly reports: readonly RotationReport[];
}

/**
 * One rotation from its beginning, through a proxy that breaks connections at the messages of `faults`; once the last of
 * them came it simply runs again. Connections that a fault holds are let go after one more run.
 */
export async function faultedCase({ scene, proxy, ca }: FaultScene, faults: readonly Fault[]): Promise<FaultedCase> {
  const base = await scene.anew();
  const place = { ...base, endpoint: `127.0.0.1:${proxy.port}`, ...(ca !== undefined && { ca }) };
  const ground = faultPlace(place, scene.pair.initial);
  const watch = new Watch(scene, ground);
  await watch.look('before');
  proxy.set(faults);
  const logins = new Logins(ground.events, proxy);
  let quietRuns = 0;
  const deps = watched(ground.deps, async (moment) => {
    if (isWritten(moment)) await watch.look(moment);
  });
  const reports = await runUntilDone(deps, place, async () => {
    logins.runEnded();
    await watch.look('after a run', { really: true });
    if (proxy.isArmed) return;
    if (quietRuns > 0) proxy.heal();
    quietRuns += 1;
  });
  const [injected, messages] = [[...proxy.injected], [...proxy.messages]];
  proxy.set([]);
  const violations = [
    ...endOf(reports),
    ...logins.found,
    ...(await watch.verdict([inspect(reports, { depth: 9 }), JSON.stringify(reports)])),
  ];
  return { injected, messages, violations, reports };
}

function endOf(reports: readonly RotationReport[]): readonly string[] {
  const { outcome, text } = reports.at(-1) ?? { outcome: 'done', text: '' };
  const bugs = reports.filter(({ error, outcome: how }) => error?.code === 'bug' || how === 'blocked');
  return [
    ...(outcome === 'done' || outcome === 'idle' ? [] : [`it ends ${outcome}: ${text}`]),
    ...bugs.map(({ outcome: how, text: why }) => `${how}: ${why}`),
  ];
}

/** At most one failed login a candidate a run; candidates are told apart by the fingerprints in the log. */
class Logins {
  readonly found: string[] = [];
  readonly #events: readonly AuditEvent[];
  readonly #proxy: FaultProxy;
  #heard = 0;

  constructor(events: readonly AuditEvent[], proxy: FaultProxy) {
    this.#events = events;
    this.#proxy = proxy;
  }

  runEnded(): void {
    const tried = this.#events
      .slice(this.#heard)
      .filter(({ action, stage }) => action === 'rotation.login' && stage === 'intent');
    const candidates = new Set(JSON.stringify(tried).match(/(?<="fingerprint":")[^"]+/g));
    if (this.#proxy.refusals > candidates.size)
      this.found.push(`${this.#proxy.refusals} failed logins of ${candidates.size} candidates in one run`);
    this.#heard = this.#events.length;
    this.#proxy.refusals = 0;
  }
}
