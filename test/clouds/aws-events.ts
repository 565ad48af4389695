import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { Sealed } from '../../shared/base/sealed.ts';
import type { AwsCredentials } from '../../shared/clouds/aws.ts';
import { listenOnLoopback } from './loopback.ts';

/** An event as rules and their targets see it. */
export interface AwsEvent {
  readonly id: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly time: string;
  readonly detail: unknown;
}

/**
 * How the next requests fail: a refusal as AWS words it; `entry`: HTTP 200, and the one entry failed; `empty`: HTTP 200
 * that names nothing; `lost-before` and `lost-after`: the connection ends before or after it took effect; `mute`: it takes
 * effect, and no answer comes.
 */
export type AwsEventsFault =
  | 'empty'
  | 'lost-before'
  | 'lost-after'
  | 'mute'
  | { readonly status: number; readonly type: string; readonly message: string }
  | { readonly entry: string; readonly message: string };

/** EventBridge on 127.0.0.1, as strict as the service about what it takes. */
export interface AwsEventsStandIn {
  readonly place: { readonly endpoint: string; readonly credentials: AwsCredentials };
  /** The buses by name, and the events that each got. */
  readonly buses: Map<string, AwsEvent[]>;
  /** The operations asked for, in order, and every request whole. */
  readonly asked: readonly string[];
  readonly requests: readonly { readonly headers: unknown; readonly body: string }[];
  /** The next requests meet these faults, one each. */
  fail(...faults: readonly AwsEventsFault[]): void;
  /** Every request meets this fault from now on; undefined: none. */
  failAlways(fault: AwsEventsFault | undefined): void;
  close(): Promise<void>;
}

/** The region and the account of the stand-in's buses. */
export const awsEventsRegion = 'eu-west-1';
const account = '111122223333';
const accessKeyId = 'AKIDEXAMPLE';

/** The ARN of one of its buses. */
export function awsBusArn(name: string): string {
  return `arn:aws:events:${awsEventsRegion}:${account}:event-bus/${name}`;
}

/** Starts a stand-in with the default bus alone. */
export async function startAwsEvents(secret = 'secret'): Promise<AwsEventsStandIn> {
  const buses = new Map<string, AwsEvent[]>([['default', []]]);
  const asked: string[] = [];
  const requests: { readonly headers: unknown; readonly body: string }[] = [];
  const faults: AwsEventsFault[] = [];
  let always: AwsEventsFault | undefined;
  const server = await listenOnLoopback((request, response) => {
    void (async () => {
      const body = await text(request);
      const operation = /^AWSEvents\.(\w+)$/.exec(String(request.headers['x-amz-target']))?.[1] ?? '?';
      asked.push(operation);
      requests.push({ headers: request.headers, body });
      answer({ request, response, operation, body }, buses, faults.shift() ?? always);
    })();
  });
  return {
    place: { endpoint: server.url, credentials: { accessKeyId, secretAccessKey: new Sealed(secret) } },
    buses,
    asked,
    requests,
    fail: (...more) => void faults.push(...more),
    failAlways(fault) {
      always = fault;
    },
    close: () => server.close(),
  };
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly operation: string;
  readonly body: string;
}

type Buses = ReadonlyMap<string, AwsEvent[]>;

class Refused extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

function answer(call: Call, buses: Buses, fault: AwsEventsFault | undefined): void {
  const { request, response } = call;
  const reply = (status: number, body: unknown) =>
    void response
      .writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'stand-in-1' })
      .end(JSON.stringify(body));
  if (fault === 'lost-before') return void request.socket.destroy();
  if (typeof fault === 'object' && 'status' in fault)
    return reply(fault.status, { __type: fault.type, message: fault.message });
  if (typeof fault === 'object')
    return reply(200, { FailedEntryCount: 1, Entries: [{ ErrorCode: fault.entry, ErrorMessage: fault.message }] });
  try {
    const done = carryOut(call, buses);
    if (fault === 'lost-after') return void request.socket.destroy();
    if (fault !== 'mute') reply(200, fault === 'empty' ? { FailedEntryCount: 0, Entries: [] } : done);
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    reply(400, { __type: thrown.type, message: thrown.message });
  }
}

const busName = z
  .string()
  .min(1)
  .max(1600)
  .regex(/^(arn:aws[\w-]*:events:[a-z]{2}-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/.\-_A-Za-z0-9]+$/);
const describeRequest = z.strictObject({ Name: busName });
const entryShape = z.strictObject({
  Time: z.number(),
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: busName.default('default'),
});
const putRequest = z.strictObject({ Entries: z.array(entryShape).min(1).max(10) });

function carryOut(call: Call, buses: Buses): unknown {
  checkSigned(call);
  const body: unknown = JSON.parse(call.body);
  switch (call.operation) {
    case 'DescribeEventBus': {
      const name = ownName(parsed(describeRequest, body).Name);
      if (!buses.has(name)) throw new Refused('ResourceNotFoundException', `Event bus ${name} does not exist.`);
      return { Arn: awsBusArn(name), Name: name };
    }
    case 'PutEvents': {
      const entries = parsed(putRequest, body).Entries.map((entry) => put(entry, buses));
      return { FailedEntryCount: entries.filter((entry) => 'ErrorCode' in entry).length, Entries: entries };
    }
    default:
      throw new Refused('UnknownOperationException', `the stand-in does not know ${call.operation}`);
  }
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new Refused('ValidationException', `1 validation error detected: ${result.error.issues[0]?.message ?? '?'}`);
}

let events = 0;

/**
 * A wrong entry is a failure inside of HTTP 200. An event for a bus that is not there is taken and dropped, as the
 * service does: https://github.com/aws/aws-cli/issues/9186.
 */
function put({ Time, Source, DetailType, Detail, EventBusName }: z.infer<typeof entryShape>, buses: Buses) {
  const failed = (ErrorCode: string, ErrorMessage: string) => ({ ErrorCode, ErrorMessage });
  if (!Source || !DetailType || !Detail)
    return failed('InvalidArgument', 'Parameter Detail, DetailType or Source is not valid. Reason: is required.');
  if (DetailType.length > 128) return failed('InvalidArgument', 'DetailType is longer than 128 characters.');
  if (Source.startsWith('aws.'))
    return failed('NotAuthorizedForSourceException', `Not authorized for the source ${Source}.`);
  if (!isJsonObject(Detail)) return failed('MalformedDetail', 'Detail is malformed.');
  events += 1;
  const id = `event-${events}`;
  const time = new Date(Time * 1000).toISOString();
  const detail: unknown = JSON.parse(Detail);
  buses.get(ownName(EventBusName))?.push({ id, source: Source, 'detail-type': DetailType, time, detail });
  return { EventId: id };
}

function ownName(nameOrArn: string): string {
  return nameOrArn.replace(awsBusArn(''), '');
}

function isJsonObject(detail: string): boolean {
  try {
    const value: unknown = JSON.parse(detail);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'SyntaxError') return false;
    throw thrown;
  }
}

/** The form of the signature and what it covers; not the signature itself. */
function checkSigned({ request: { method, url, headers } }: Call): void {
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([a-z0-9-]+)\/events\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/;
  const [, id, place, names = ''] = form.exec(headers.authorization ?? '') ?? [];
  const covered = ['host', 'x-amz-date', 'x-amz-target'].every((name) => names.split(';').includes(name));
  if (id !== accessKeyId || !covered)
    throw new Refused('UnrecognizedClientException', 'The security token included in the request is invalid.');
  if (place !== awsEventsRegion)
    throw new Refused('InvalidSignatureException', `Credential should be scoped to a valid region, not '${place}'.`);
  if (method !== 'POST' || url !== '/' || headers['content-type'] !== 'application/x-amz-json-1.1')
    throw new Refused('SerializationException', 'not a request of JSON 1.1');
}
