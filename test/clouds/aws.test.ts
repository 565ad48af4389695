import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { awsAnswer, awsClientSettings, awsError, awsRetryAfterMs } from '../../shared/clouds/aws.ts';
import { PlantedSecret } from '../planted-secret.ts';

const answered = (name: string, status?: number, message = 'said so') =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status, requestId: 'REQ9' } });
const system = (code: string, message = code) => Object.assign(new Error(message), { code });

describe('what AWS answered', () => {
  test.each([
    ['AccessDenied', 403, 'denied'],
    ['AccessDeniedException', 400, 'denied'],
    ['UnauthorizedOperation', 403, 'denied'],
    ['ExpiredToken', 400, 'denied'],
    ['ExpiredTokenException', 403, 'denied'],
    ['UnrecognizedClientException', 400, 'denied'],
    ['InvalidClientTokenId', 403, 'denied'],
    ['SignatureDoesNotMatch', 403, 'denied'],
    ['RequestTimeTooSkewed', 403, 'denied'],
    ['CredentialsProviderError', undefined, 'denied'],
    ['SlowDown', 503, 'throttled'],
    ['ThrottlingException', 400, 'throttled'],
    ['Throttling', 400, 'throttled'],
    ['RequestLimitExceeded', 503, 'throttled'],
    ['TooManyRequestsException', 429, 'throttled'],
    ['ConditionalRequestConflict', 409, 'throttled'],
    ['ServiceUnavailable', 503, 'throttled'],
    ['NoSuchBucket', 404, 'not-found'],
    ['ResourceNotFoundException', 400, 'not-found'],
    ['NotFoundException', 400, 'not-found'],
    ['InvalidGroup.NotFound', 400, 'not-found'],
    ['PreconditionFailed', 412, 'conflict'],
    ['ResourceExistsException', 400, 'conflict'],
    ['InvalidPermission.Duplicate', 400, 'conflict'],
    ['BucketAlreadyExists', 409, 'conflict'],
    ['LimitExceededException', 400, 'rejected'],
    ['RulesPerSecurityGroupLimitExceeded', 400, 'rejected'],
    ['KMSInvalidStateException', 400, 'rejected'],
    ['DisabledException', 400, 'rejected'],
    ['ValidationException', 400, 'invalid'],
    ['InvalidParameterValue', 400, 'invalid'],
    ['PermanentRedirect', 301, 'invalid'],
    ['NotImplemented', 501, 'unsupported'],
    ['MethodNotAllowed', 405, 'unsupported'],
    ['UnknownError', 404, 'not-found'],
    ['UnknownError', 429, 'throttled'],
    ['UnknownError', 412, 'conflict'],
    ['UnknownError', 418, 'invalid'],
  ])('%s %s is %s, for reads and for writes', (name, status, code) => {
    expect(awsError(answered(name, status), 'put a')).toMatchObject({ code });
    expect(awsError(answered(name, status), 'put a', { written: true })).toMatchObject({
      code,
      hint: expect.stringMatching(/\.$/),
    });
  });

  test.each([
    ['InternalError', 500],
    ['InternalFailure', 500],
    ['KMSInternalException', 500],
    ['UnknownError', 502],
    ['UnknownError', 504],
    ['UnknownError', 408],
    ['SyntaxError', 200],
  ])('%s %s is unreachable for a read, uncertain for a write', (name, status) => {
    expect(awsError(answered(name, status), 'put a')).toMatchObject({ code: 'unreachable' });
    expect(awsError(answered(name, status), 'put a', { written: true })).toMatchObject({
      code: 'uncertain',
      hint: expect.stringContaining('read it back'),
    });
  });

  test('is told with what was tried, the name, the status and the request', () => {
    const error = awsError(answered('AccessDeniedException', 400, 'no right to sign'), 'sign with key k', {
      needs: 'kms:Sign',
    });
    expect(error.message).toBe('sign with key k: no right to sign (AccessDenied, HTTP 400, request REQ9)');
    expect(error.hint).toContain('Grant kms:Sign');
  });
});

describe('what the network did', () => {
  test.each([
    ['connect ECONNREFUSED 127.0.0.1:1', system('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1')],
    ['getaddrinfo ENOTFOUND nowhere', system('ENOTFOUND', 'getaddrinfo ENOTFOUND nowhere')],
    ['connect ETIMEDOUT', system('ETIMEDOUT', 'connect ETIMEDOUT 10.0.0.1:443')],
    ['a certificate', system('DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate')],
    ['an SDK that wrapped it', new Error('AWS SDK error wrapper for Error: connect ECONNREFUSED 127.0.0.1:1')],
  ])('%s is unreachable, also for a write: nothing was sent', (_, thrown) => {
    expect(awsError(thrown, 'put a', { written: true })).toMatchObject({ code: 'unreachable' });
  });

  test.each([
    ['ECONNRESET', system('ECONNRESET', 'read ECONNRESET')],
    ['EPIPE', system('EPIPE', 'write EPIPE')],
    ['socket hang up', new Error('AWS SDK error wrapper for TimeoutError: socket hang up')],
    ['a time limit', Object.assign(new Error('Request aborted'), { name: 'AbortError' })],
    ['an answer that is no HTTP', system('HPE_INVALID_CONSTANT', 'Parse Error: Expected HTTP/, RTSP/ or ICE/')],
    ['the same, without its code', new Error('AWS SDK error wrapper for Error: Parse Error: Header overflow')],
    [
      'a refusal that broke off',
      Object.assign(system('ECONNRESET', 'aborted'), { $metadata: { httpStatusCode: 404 } }),
    ],
  ])('%s is unreachable for a read, uncertain for a write', (_, thrown) => {
    expect(awsError(thrown, 'put a')).toMatchObject({ code: 'unreachable' });
    expect(awsError(thrown, 'put a', { written: true })).toMatchObject({ code: 'uncertain' });
  });
});

describe('anything else', () => {
  test('that says no region is known says where to name one', () => {
    expect(awsError(new Error('Region is missing'), 'get x in s3://b/')).toMatchObject({
      code: 'invalid',
      message: 'get x in s3://b/: Region is missing',
      hint: expect.stringContaining('AWS_REGION'),
    });
  });
  test('that nobody foresaw is a bug, with its cause', () => {
    const thrown = new TypeError('x is not a function');
    expect(awsError(thrown, 'put a')).toMatchObject({ code: 'bug', cause: thrown });
    expect(awsError('a text', 'put a')).toMatchObject({ code: 'bug' });
    expect(awsError(undefined, 'put a')).toMatchObject({ code: 'bug' });
  });
  test('that is ours already stays as it is', () => {
    const mine = new LockkeeperError('rejected', 'full');
    expect(awsError(mine, 'put a')).toBe(mine);
  });
});

test('what an SDK hangs on to its errors is not kept: requests hold session tokens, answers quote wrong values', () => {
  const planted = new PlantedSecret("pl4nted+'secret");
  const thrown = answered(
    'ValidationException',
    400,
    `1 validation error detected: Value '${planted.bare()}' at 'secretString' failed to satisfy constraint`,
  );
  Object.defineProperty(thrown, '$response', {
    value: { headers: { 'x-amz-security-token': planted.bare() } },
    enumerable: false,
  });
  const error = awsError(Object.assign(thrown, { 'Token-0': planted.bare() }), 'stage secret s');
  planted.search('the error', error).expectNowhere();
  expect(error.message).toContain("Value [left out] at 'secretString'");
});

test('an answer is told by its shape, whatever was thrown', () => {
  expect(awsAnswer(answered('NoSuchKeyException', 404))).toEqual({ name: 'NoSuchKey', status: 404, requestId: 'REQ9' });
  expect(awsAnswer(null)).toEqual({ name: '', status: undefined, requestId: undefined });
  expect(awsRetryAfterMs({ $response: { headers: { 'retry-after': '2' } } })).toBe(2_000);
  expect(
    awsRetryAfterMs({ $response: { headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } } }),
  ).toBeUndefined();
  expect(awsRetryAfterMs(new Error('none'))).toBeUndefined();
});

test('a client tries once, and is told only what is known', () => {
  const settings = awsClientSettings({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'A', secretAccessKey: new Sealed('s'), sessionToken: new Sealed('t') },
  });
  expect(settings).toMatchObject({
    maxAttempts: 1,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'A', secretAccessKey: 's', sessionToken: 't' },
  });
  expect(settings).not.toHaveProperty('endpoint');
  expect(awsClientSettings({})).not.toHaveProperty('region');
  expect(awsClientSettings({ endpoint: 'http://127.0.0.1:1' })).toMatchObject({
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
  });
});
