import type * as Sdk from '@aws-sdk/client-eventbridge';
import { hasCode, LockkeeperError } from '../base/error.ts';
import { second } from '../base/time.ts';
import { visibleStart } from '../base/visible.ts';
import type { World } from '../base/world.ts';
import { awsClientSettings, awsError, type AwsPlace } from '../clouds/aws.ts';
import { permissions } from './aws-event-permissions.ts';
import type { Refresh, RefreshNews } from './contract.ts';
import { publishedNews } from './published-news.ts';
import { noAnswerInTime, timeLimit } from './time-limit.ts';

/** Which bus. Without a region that of the ARN counts, and then that of the login. */
export interface AwsEventOptions extends AwsPlace {
  /** The receiver's name, told in the event. */
  readonly name: string;
  /** The bus: its name, or its ARN. */
  readonly bus: string;
  readonly world: World;
  /** How long one answer may take; 10 s if left out. */
  readonly answerMs?: number;
}

/** The `detail-type` and `source` that rules match. */
export const eventType = { DetailType: 'Credential Rotated', Source: 'lockkeeper' } as const;

/**
 * One event on a bus of EventBridge. It is acknowledged once the bus has it; rules and their targets come later, at
 * least once. A failed entry comes with HTTP 200, so the entry is what counts. EventBridge takes events for a bus that
 * is not there, and drops them (https://github.com/aws/aws-cli/issues/9186): the bus is looked up first, once a handle;
 * `not-found` where there is none. Repeating puts another event with the same `rotation` in it.
 */
export function awsEventRefresh(options: AwsEventOptions): Refresh {
  const bus = new EventBus(options);
  return { poke: async (news) => await bus.put(news) };
}

type Loaded = typeof Sdk & { readonly client: Sdk.EventBridgeClient };

class EventBus {
  readonly #options: AwsEventOptions;
  readonly #tried: string;
  #sdk: Promise<Loaded> | undefined;
  #isThere: boolean;

  constructor(options: AwsEventOptions) {
    this.#options = options;
    this.#tried = `tell ${options.name} by an event on the bus ${options.bus}`;
    // Every account has its default bus.
    this.#isThere = options.bus === 'default';
  }

  async put(news: RefreshNews): Promise<void> {
    await this.#expectBus();
    const { bus, name, world } = this.#options;
    const entry = {
      ...eventType,
      Time: new Date(world.now()),
      Detail: JSON.stringify({ receiver: name, ...publishedNews(news) }),
      EventBusName: bus,
    };
    const answer = await this.#asked({ needs: permissions.send.join(', '), written: true }, (sdk, abortSignal) =>
      sdk.client.send(new sdk.PutEventsCommand({ Entries: [entry] }), { abortSignal }),
    );
    this.#expectTaken(answer);
  }

  async #expectBus(): Promise<void> {
    if (this.#isThere) return;
    const { bus } = this.#options;
    try {
      await this.#asked({ needs: permissions.look.join(', ') }, (sdk, abortSignal) =>
        sdk.client.send(new sdk.DescribeEventBusCommand({ Name: bus }), { abortSignal }),
      );
      this.#isThere = true;
    } catch (thrown) {
      // A bus of another account may be open for events and for nothing else.
      if (!(bus.startsWith('arn:') && hasCode(thrown, 'denied'))) throw thrown;
    }
  }

  #expectTaken({ Entries = [], FailedEntryCount = 0, $metadata }: Sdk.PutEventsCommandOutput): void {
    const [entry] = Entries;
    if (FailedEntryCount === 0 && entry?.EventId !== undefined && entry.ErrorCode === undefined) return;
    if (entry?.ErrorCode !== undefined)
      throw entryError(this.#tried, { ...entry, ErrorCode: entry.ErrorCode, requestId: $metadata.requestId });
    throw new LockkeeperError('uncertain', `${this.#tried}: the answer names neither an event nor an error`, {
      hint: 'The bus may have got the event: the next run puts it again.',
    });
  }

  async #asked<T>(
    about: { readonly needs: string; readonly written?: boolean },
    ask: (sdk: Loaded, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { world, answerMs = 10 * second } = this.#options;
    const sdk = await (this.#sdk ??= load(this.#options));
    const limitMs = timeLimit(this.#tried, { world, answerMs });
    const signal = AbortSignal.timeout(limitMs);
    try {
      return await ask(sdk, signal);
    } catch (thrown) {
      const error = awsError(thrown, this.#tried, about);
      throw signal.aborted ? noAnswerInTime(this.#tried, limitMs, error) : error;
    }
  }
}

/** Why one entry was not taken. EventBridge has not got it: nothing about it is uncertain. */
function entryError(
  tried: string,
  entry: {
    readonly ErrorCode: string;
    readonly ErrorMessage?: string | undefined;
    readonly requestId?: string | undefined;
  },
): LockkeeperError {
  const { ErrorCode, ErrorMessage = 'no message', requestId } = entry;
  const said = `${tried}: ${visibleStart(ErrorMessage)} (${visibleStart(ErrorCode)}, the entry failed${requestId === undefined ? '' : `, request ${requestId}`})`;
  const failed = (code: LockkeeperError['code'], hint: string) => new LockkeeperError(code, said, { hint });
  if (ErrorCode.startsWith('Throttl')) return failed('throttled', 'AWS asks to go slower; the next run puts it again.');
  if (/^Internal(Failure|Error|Exception)/.test(ErrorCode))
    return failed('unreachable', 'EventBridge failed; the next run puts it again.');
  if (/^(AccessDenied|NotAuthorized)/.test(ErrorCode))
    return failed('denied', `Grant ${permissions.send.join(', ')} on the bus for the source "${eventType.Source}".`);
  return failed('rejected', 'EventBridge does not take this event: see its message, and check the bus.');
}

async function load(options: AwsEventOptions): Promise<Loaded> {
  const sdk = await import('@aws-sdk/client-eventbridge');
  const { bus, region = /^arn:[^:]+:events:([^:]+):/.exec(bus)?.[1] } = options;
  return { ...sdk, client: new sdk.EventBridgeClient(awsClientSettings({ ...options, region })) };
}
