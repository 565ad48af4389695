import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenOnLoopback } from './loopback.ts';

/** One request as it came. */
export interface WebhookRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request, and what it was answered. */
export interface AnsweredRequest extends WebhookRequest {
  readonly answer: WebhookAnswer;
}

/**
 * What it answers: a status, or `mute`: nothing; `lost`: it ends the connection; or what a function does with the
 * answer.
 */
export type WebhookAnswer = number | 'mute' | 'lost' | ((answer: ServerResponse, request: WebhookRequest) => void);

/** A receiver of webhooks on 127.0.0.1. It judges nothing: tests do, with a verifier of others. */
export interface WebhookReceiver {
  /** Where it is told: http://127.0.0.1:PORT. */
  readonly url: string;
  /** Everything that came, in order. */
  readonly requests: readonly AnsweredRequest[];
  /** How it answers from now on; 204 at the beginning. */
  answerWith(answer: WebhookAnswer): void;
  close(): Promise<void>;
}

/** Starts a receiver. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const requests: AnsweredRequest[] = [];
  let answer: WebhookAnswer = 204;
  const server = await listenOnLoopback((incoming, outgoing) => {
    void (async () => {
      const { method = '', url = '/', headers } = incoming;
      const request = { method, path: url, headers, body: await text(incoming) };
      requests.push({ ...request, answer });
      if (answer === 'mute') return;
      if (answer === 'lost') return void incoming.socket.destroy();
      if (typeof answer === 'function') return answer(outgoing, request);
      outgoing.writeHead(answer, { location: '/elsewhere' }).end();
    })();
  });
  return {
    url: server.url,
    requests,
    answerWith(next) {
      answer = next;
    },
    close: () => server.close(),
  };
}
