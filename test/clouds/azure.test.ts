import { describe, expect, test } from '@jest/globals';
import { LockkeeperError, type ErrorCode } from '../../shared/base/error.ts';
import { azureAnswer, azureError, azureLogin } from '../../shared/clouds/azure.ts';
import { PlantedSecret } from '../planted-secret.ts';

interface Shape {
  readonly code?: string;
  readonly statusCode?: number;
  readonly name?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly authorization?: string;
}

/** An error as the SDKs throw it: the request with its login and the answer hang on to it, unseen by JSON. */
function sdkError({
  message = 'It failed.\nRequestId:1\nTime:now',
  headers = {},
  authorization = '',
  ...shape
}: Shape): Error {
  const error = Object.assign(new Error(message), { name: 'RestError', ...shape });
  Object.defineProperty(error, 'request', { value: { headers: { authorization } } });
  Object.defineProperty(error, 'response', { value: { headers: { get: (name: string) => headers[name] } } });
  return error;
}

describe('an error of an Azure SDK', () => {
  test.each<[string, Shape, ErrorCode, ErrorCode?]>([
    ['a login that is not there', { name: 'CredentialUnavailableError' }, 'denied'],
    ['no login of the chain works', { name: 'AggregateAuthenticationError' }, 'denied'],
    ['a login that Entra refuses', { name: 'AuthenticationError', statusCode: 401 }, 'denied'],
    ['Entra is down', { name: 'AuthenticationError', statusCode: 503 }, 'throttled'],
    ['an expired token', { statusCode: 401, code: 'ExpiredAuthenticationToken' }, 'denied'],
    ['a token of the wrong kind', { statusCode: 400, code: 'InvalidAuthenticationInfo' }, 'denied'],
    ['a wrong signature', { statusCode: 403, code: 'AuthenticationFailed' }, 'denied'],
    ['a missing role', { statusCode: 403, code: 'AuthorizationPermissionMismatch' }, 'denied'],
    ['a missing role, said by the resource manager', { statusCode: 403, code: 'AuthorizationFailed' }, 'denied'],
    ['a vault that does not let in', { statusCode: 403, code: 'Forbidden' }, 'denied'],
    ['retention', { statusCode: 409, code: 'BlobImmutableDueToPolicy' }, 'denied'],
    ['a legal hold', { statusCode: 409, code: 'BlobImmutableDueToLegalHold' }, 'denied'],
    ['a missing secret', { statusCode: 404, code: 'SecretNotFound' }, 'not-found'],
    ['a missing resource', { statusCode: 404, code: 'ResourceNotFound' }, 'not-found'],
    ['a container on its way out', { statusCode: 409, code: 'ContainerBeingDeleted' }, 'not-found'],
    ['a stale condition', { statusCode: 412, code: 'ConditionNotMet' }, 'conflict'],
    ['another operation under way', { statusCode: 409, code: 'AnotherOperationInProgress' }, 'conflict'],
    ['a lease', { statusCode: 412, code: 'LeaseIdMissing' }, 'conflict'],
    ['too many requests', { statusCode: 429, code: 'Throttled' }, 'throttled'],
    ['a busy server', { statusCode: 503, code: 'ServerBusy' }, 'throttled'],
    ['a server that ran out of time', { statusCode: 500, code: 'OperationTimedOut' }, 'throttled', 'uncertain'],
    ['a broken server', { statusCode: 500, code: 'InternalError' }, 'throttled', 'uncertain'],
    ['a broken gateway', { statusCode: 502 }, 'unreachable', 'uncertain'],
    ['an unknown 503', { statusCode: 503 }, 'throttled', 'uncertain'],
    ['a request that took too long to arrive', { statusCode: 408 }, 'unreachable', 'uncertain'],
    ['a value out of range', { statusCode: 400, code: 'OutOfRangeInput' }, 'invalid'],
    ['a body that is too large', { statusCode: 413, code: 'RequestBodyTooLarge' }, 'invalid'],
    ['an operation that is not there', { statusCode: 501, code: 'APINotImplemented' }, 'unsupported'],
    ['a header from the future', { statusCode: 400, code: 'UnsupportedHeader' }, 'unsupported'],
    ['nothing listens', { code: 'ECONNREFUSED' }, 'unreachable'],
    ['an unknown host', { code: 'ENOTFOUND' }, 'unreachable'],
    ['no route', { code: 'EHOSTUNREACH' }, 'unreachable'],
    [
      'a connection that never came about',
      { code: 'ETIMEDOUT', message: 'connect ETIMEDOUT 10.0.0.1:443' },
      'unreachable',
      'unreachable',
    ],
    ['a certificate of somebody else', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'unreachable'],
    ['a certificate that nobody knows', { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, 'unreachable'],
    ['a broken connection', { code: 'ECONNRESET' }, 'unreachable', 'uncertain'],
    ['an answer that is no HTTP', { code: 'HPE_INVALID_CONSTANT' }, 'unreachable', 'uncertain'],
    ["a success that is not Azure's", { statusCode: 200 }, 'unreachable', 'uncertain'],
    ['an answer that ends in the middle', { code: 'PARSE_ERROR', statusCode: 200 }, 'unreachable', 'uncertain'],
    ['the end of the time limit', { name: 'AbortError' }, 'unreachable', 'uncertain'],
    ['something that nobody foresaw', { name: 'TypeError' }, 'bug'],
  ])('%s', (_, shape, read, written = read) => {
    const thrown = sdkError(shape);
    expect(azureError(thrown, 'read x')).toMatchObject({
      code: read,
      hint: expect.any(String),
      cause: expect.anything(),
    });
    expect(azureError(thrown, 'write x', { written: true })).toMatchObject({ code: written });
  });

  test('says what was tried, what came, and which request it was', () => {
    const headers = { 'x-ms-error-code': 'BlobNotFound', 'x-ms-request-id': 'r-1' };
    const { message } = azureError(sdkError({ statusCode: 404, headers }), 'get k');
    expect(message).toBe('get k: It failed. (BlobNotFound, HTTP 404, request r-1)');
  });

  test('names the role that is missing', () => {
    expect(azureError(sdkError({ statusCode: 403 }), 'get k', { needs: 'the role Reader' }).hint).toContain(
      'the role Reader',
    );
  });

  test('tells how long to wait', () => {
    expect(azureAnswer(sdkError({ headers: { 'retry-after': '7' } })).retryAfterMs).toBe(7_000);
    expect(azureAnswer(sdkError({ headers: { 'retry-after-ms': '70', 'retry-after': '1' } })).retryAfterMs).toBe(70);
    expect(
      azureAnswer(sdkError({ headers: { 'retry-after': 'Thu, 01 Oct 2026 00:00:00 GMT' } })).retryAfterMs,
    ).toBeUndefined();
  });

  test('does not carry the login on, whatever it is', () => {
    const planted = new PlantedSecret();
    for (const shape of [{ statusCode: 403 }, { code: 'ECONNRESET' }, { name: 'AuthenticationError' }])
      planted.search('error', azureError(sdkError({ ...shape, authorization: `Bearer ${planted.bare()}` }), 'get k'));
    expect(() => planted.expectNowhere()).not.toThrow();
  });
});

test('an error that is ours already stays as it is', () => {
  const ours = new LockkeeperError('rejected', 'no');
  expect(azureError(ours, 'again')).toBe(ours);
});

test('a defect keeps its own stack; what is no error at all is told too', () => {
  const defect = new TypeError('x is undefined');
  expect(azureError(defect, 'get k')).toMatchObject({ code: 'bug', cause: defect });
  expect(azureError('no', 'get k')).toMatchObject({ code: 'bug', message: 'get k: no' });
});

test('the login gives tokens when asked for one, not before', async () => {
  expect(typeof (await azureLogin()).getToken).toBe('function');
});
