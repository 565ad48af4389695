import { LockkeeperError, type ErrorCode } from '../base/error.ts';
import { visibleStart } from '../base/visible.ts';

/** The error for an answer that is no 2xx. `text` is what the receiver said, shown where nothing in it can hide. */
export function answerError(tried: string, status: number, text: string): LockkeeperError {
  const { code, hint } = meaningOf(status);
  const said = text === '' ? '' : `: ${visibleStart(text)}`;
  return new LockkeeperError(code, `${tried}: HTTP ${status}${said}`, { hint });
}

/** The beginning of what the receiver said; no more than that is read. */
export async function textOfAnswer(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  const body: AsyncIterable<Uint8Array> | null = answer.body;
  let text = '';
  try {
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length >= longestText) break;
    }
  } catch (thrown) {
    // The status says what it means; its text only explains.
    return `${text} (the rest did not come: ${thrown instanceof Error ? thrown.message : String(thrown)})`;
  }
  return text.slice(0, longestText).trim();
}

/** The error for a request without an answer. Whatever may have been sent is `uncertain`. */
export function connectionError(tried: string, thrown: unknown): LockkeeperError {
  const causes = causesOf(thrown);
  const code = causes.map((cause) => textAt(cause, 'code')).find((text) => text !== '') ?? '';
  const said = visibleStart(textAt(causes.at(-1), 'message'));
  const details = `${tried}: ${said}${code === '' || said.includes(code) ? '' : ` (${code})`}`;
  const hintOf = (hint: string) => ({ hint, cause: thrown });
  if (said === 'bad port')
    return new LockkeeperError(
      'invalid',
      details,
      hintOf('Web clients refuse this port: let it listen on another one.'),
    );
  if (untrusted.test(code))
    return new LockkeeperError(
      'unreachable',
      details,
      hintOf('Its certificate is not trusted: name its authority by NODE_EXTRA_CA_CERTS. Nothing was sent.'),
    );
  if (neverSent.test(code))
    return new LockkeeperError('unreachable', details, hintOf('Check the address and the network. Nothing was sent.'));
  return new LockkeeperError('uncertain', details, hintOf('It may have got the message: the next run tells it again.'));
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint: string;
}

const longestText = 1_024;

function meaningOf(status: number): Meaning {
  if (status === 401 || status === 403)
    return { code: 'denied', hint: 'Give the receiver the same key, and check that the two clocks agree.' };
  if (status === 429)
    return { code: 'throttled', hint: 'The receiver asks to go slower; the next run tells it again.' };
  if (status === 408 || status >= 500)
    return { code: 'unreachable', hint: 'The receiver is not well: look at it; the next run tells it again.' };
  if (status >= 300 && status < 400)
    return { code: 'rejected', hint: 'Redirects are not followed: configure the address that it leads to.' };
  return { code: 'rejected', hint: 'The receiver does not take the message: check its address and what it expects.' };
}

const untrusted = /CERT|^UNABLE_TO_|HOSTNAME_MISMATCH|^ERR_TLS_|^ERR_SSL_|^EPROTO$/;
const neverSent =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT)$/;

/** The error and its causes, outermost first: what fetch throws says nothing itself. */
function causesOf(thrown: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let cause = thrown; cause !== undefined && causes.length < 5; cause = memberOf(cause, 'cause'))
    causes.push(cause);
  return causes;
}

function textAt(of: unknown, name: string): string {
  const value = memberOf(of, name);
  return typeof value === 'string' ? value : '';
}

function memberOf(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}
