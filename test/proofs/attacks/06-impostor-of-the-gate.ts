import type { Attack } from './attack.ts';
import { gateScene } from './gate/gate-scene.ts';
import { endImpostors, isOtherAccount } from './gate/impostor.ts';
import { listens, outsiders, relays, replays, stillWorks, tampers } from './gate/gate-moves.ts';

const call = 'shared/firewalls/local-gate/call.ts';
const proof = 'shared/firewalls/local-gate/proof.ts';
const conversations = 'functions/local/gate/conversations.ts';

/** Another account listens where the gate does, while the gate is down, beside it, and between it and lockkeeper. */
export const attack: Attack = {
  number: 6,
  about: 'another account listens at the admin port of a gate',
  run: async () => {
    const scene = await gateScene();
    try {
      for (const step of [listens, relays, tampers, replays, outsiders, stillWorks]) await step(scene);
      const as = isOtherAccount ? 'as another account' : 'as the same account (not root)';
      return `${scene.tried} ways ${as}: no token, no opening, no closing, no forged answer believed; lockkeeper still closes and restores`;
    } finally {
      endImpostors();
      await scene.end();
    }
  },
  switchedBack: [
    {
      name: 'sends-before-the-proof',
      file: call,
      find: 'if (isNonce(gateNonce) && isProof(welcomeProof(at), header(answer, proofHeader.proof))) return at;',
      replace: 'if (answer.status < 1_000) return at;',
    },
    {
      name: 'believes-any-answer',
      file: call,
      find: 'if (answer.isProven) return answer;',
      replace: 'if (answer.status > 0) return answer;',
    },
    {
      name: 'one-port-for-another',
      file: proof,
      find: 'step, at.port, at.clientNonce',
      replace: 'step, at.clientNonce',
    },
    {
      name: 'request-without-content',
      file: proof,
      find: '[sent.method, sent.path, ...conditions, sha256(sent.body)]',
      replace: '[sent.method, conditions.length]',
    },
    {
      name: 'response-without-content',
      file: proof,
      find: '[given.status, given.etag ?? null, sha256(given.body)]',
      replace: '[]',
    },
    {
      name: 'one-nonce-many-requests',
      file: conversations,
      find: '    this.#forget(nonce);\n    return',
      replace: '    return',
    },
    {
      name: 'no-proof-of-the-request',
      file: conversations,
      find: 'if (!isProof(wanted, single(headers[proofHeader.proof]))) return undefined;\n    this',
      replace: 'if (wanted === "") return undefined;\n    this',
    },
  ],
};
