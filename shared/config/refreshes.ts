import { z } from 'zod';
import { hour, second } from '../base/time.ts';
import { duration, name, webAddress, type ResolvePath } from './fields.ts';

/**
 * One way to tell consumers to read their secret again. `key` is the schema of a reference to a secret: no key is ever
 * written here.
 */
export function refresh<Key extends z.ZodType>(resolve: ResolvePath, key: Key) {
  return z.discriminatedUnion('kind', [http(key), awsEvent, command(resolve)]);
}

/** One receiver. Its name is what journals remember: a new name is a new receiver. */
export type RefreshConfig<Key extends z.ZodType = z.ZodType> = z.output<ReturnType<typeof refresh<Key>>>;

const receiver = name.describe('One word for the receiver. The journal of a rotation remembers by it who was told.');

function timeout(normally: string) {
  return duration
    .refine(({ ms }) => ms >= second && ms <= hour, 'is not between 1s and 1h')
    .prefault(normally)
    .describe('How long it may take to answer, from 1s to 1h. The next run tells again who did not.');
}

function http<Key extends z.ZodType>(key: Key) {
  return z.strictObject({
    kind: z.literal('http'),
    name: receiver,
    url: webAddress.describe(
      'Where the message is sent by POST, signed as Standard Webhooks are. No redirect is followed.',
    ),
    key: key.describe('The key that signs: whsec_ and 24 to 64 bytes in base64. The receiver has the same one.'),
    timeout: timeout('15s'),
  });
}

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html */
const eventBus = /^(?:arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:\d{12}:event-bus\/)?[/.\w-]{1,256}$/;

const awsEvent = z.strictObject({
  kind: z.literal('aws-event'),
  name: receiver,
  bus: z
    .string()
    .regex(eventBus, { error: 'is not the name or the ARN of an event bus' })
    .default('default')
    .describe('The EventBridge bus that gets one event: its name, or its ARN if it is of another account.'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, { error: 'is not a region' })
    .exactOptional()
    .describe('Its region. Default: that of the ARN, else that of the AWS login.'),
  endpoint: webAddress.exactOptional().describe('Address of a compatible service. Default: AWS itself.'),
});

const word = z
  .string()
  .max(4_096)
  // oxlint-disable-next-line no-control-regex -- a NUL would end the word early
  .regex(/^[^\u0000]*$/, { error: 'has a NUL in it' });

/** A program with a "/" in it is a file; without one it is looked up in PATH. */
function command(resolve: ResolvePath) {
  const program = word.min(1, { error: 'is empty: the first word is the program' });
  return z.strictObject({
    kind: z.literal('command'),
    name: receiver,
    run: z
      .tuple([program], word)
      .transform(([first, ...rest]): readonly [string, ...string[]] => [
        first.includes('/') ? resolve(first) : first,
        ...rest,
      ])
      .describe(
        'The program and its words, without a shell. It sees LOCKKEEPER_CREDENTIAL and LOCKKEEPER_ROTATION, and never a value.',
      ),
    timeout: timeout('1m'),
  });
}
