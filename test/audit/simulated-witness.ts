import type { Witness } from '../../shared/audit/log-deps.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { identity } from './place.ts';
import type { CallsUnderWay } from './simulated-line.ts';
import { witnessWithoutServer } from './witness-server.ts';

/** A witness that is asked without a network, so that a seed decides when it answers. It comes and goes. */
export interface SimulatedWitness extends Witness {
  isAway: boolean;
  /** While `doIt` goes on, every request of this process is put to the witness; `isOrdered`: when its turn comes. */
  answering<T>(isOrdered: boolean, doIt: () => Promise<T>): Promise<T>;
}

/** The witness of one simulation. */
export async function simulatedWitness(calls: CallsUnderWay): Promise<SimulatedWitness> {
  const { key, answer } = await witnessWithoutServer({
    logs: [verifierKey(identity.origin, await identity.signer.publicKey())],
  });
  const witness: SimulatedWitness = {
    key,
    url: 'http://witness.test',
    isAway: false,
    async answering(isOrdered, doIt) {
      const { fetch } = globalThis;
      globalThis.fetch = async (_, request) => {
        if (isOrdered) await calls.pass();
        if (witness.isAway) throw new TypeError('fetch failed');
        const {
          status,
          type = 'text/plain',
          body,
        } = await answer(typeof request?.body === 'string' ? request.body : '');
        if (isOrdered) await calls.pass();
        if (witness.isAway) throw new TypeError('fetch failed');
        return new Response(body ?? '', { status, headers: { 'content-type': type } });
      };
      try {
        return await doIt();
      } finally {
        globalThis.fetch = fetch;
      }
    },
  };
  return witness;
}
