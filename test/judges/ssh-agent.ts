import { createHash, sign, type KeyObject } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { rawEd25519 } from '../../shared/base/ed25519.ts';

/** An agent that holds one key: programs which ask an ssh-agent to sign ask it instead. */
export interface SshAgent {
  /** The key's name for ssh: SHA256:… */
  readonly fingerprint: string;
  stop(): Promise<void>;
}

const requestIdentities = 11;
const identitiesAnswer = 12;
const signRequest = 13;
const signResponse = 14;
const failure = 5;

/**
 * Listens on a socket at `path`, at most 100 letters, for the two requests of the agent protocol that signing takes
 * (draft-ietf-sshm-ssh-agent).
 */
export async function startSshAgent(path: string, key: KeyObject): Promise<SshAgent> {
  const blob = Buffer.concat([text('ssh-ed25519'), text(rawEd25519(key))]);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let rest = Buffer.alloc(0);
    socket
      .on('error', () => undefined)
      .on('data', (part: Buffer) => {
        rest = Buffer.concat([rest, part]);
        for (let end = lengthOf(rest); rest.length >= end; end = lengthOf(rest)) {
          socket.write(text(answer(rest.subarray(4, end), { key, blob })));
          rest = rest.subarray(end);
        }
      });
  });
  await new Promise<void>((resolve, reject) => void server.once('error', reject).listen(path, resolve));
  return {
    fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/** Of the first message in `bytes`, its own four bytes of length included. */
function lengthOf(bytes: Buffer): number {
  return bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + bytes.readUInt32BE();
}

function answer(request: Buffer, { key, blob }: { readonly key: KeyObject; readonly blob: Buffer }): Buffer {
  if (request[0] === requestIdentities)
    return Buffer.concat([Uint8Array.of(identitiesAnswer, 0, 0, 0, 1), text(blob), text('witness')]);
  if (request[0] !== signRequest) return Buffer.of(failure);
  const at = 1 + lengthOf(request.subarray(1));
  const message = request.subarray(at + 4, at + lengthOf(request.subarray(at)));
  return Buffer.concat([
    Uint8Array.of(signResponse),
    text(Buffer.concat([text('ssh-ed25519'), text(sign(null, message, key))])),
  ]);
}

/** SSH's string: its length as a big-endian uint32, then its bytes. */
function text(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
