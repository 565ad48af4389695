import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { gcpError, gcpFault, isPassing } from '../../shared/clouds/gcp.ts';
import { PlantedSecret } from '../planted-secret.ts';

/** As @google-cloud/storage throws it: the JSON API's answer, with the request in it. */
function apiError(code: number, reason: string, message = 'what Google said'): Error {
  const headers = { authorization: 'Bearer ya29.t0ken' };
  const errors = [{ message, domain: 'global', reason }];
  return Object.assign(new Error('Multiple errors occurred during the request.\n    1. a\n    2. b'), {
    code,
    errors,
    response: { request: { headers }, headers: {} },
  });
}

/** As gaxios throws it, under google-auth-library and REST calls. */
function gaxiosError(status: number, data: unknown): Error {
  return Object.assign(new Error(`Request failed with status code ${status}`), {
    name: 'GaxiosError',
    status,
    code: String(status),
    config: { headers: { authorization: 'Bearer ya29.t0ken' } },
    response: { status, data, headers: new Headers({ 'retry-after': '2' }) },
  });
}

/** As google-gax throws it, under KMS and Secret Manager. */
function gaxError(code: number, message = 'what Google said'): Error {
  return Object.assign(new Error(message), { code, details: message });
}

function socketError(code: string): Error {
  return Object.assign(new Error(`request to https://storage.googleapis.com/x failed, reason: ${code}`), {
    name: 'FetchError',
    type: 'system',
    code,
  });
}

const named = (message: string) => new Error(message);
const fetchFailed = Object.assign(new TypeError('fetch failed'), { cause: socketError('ECONNREFUSED') });

describe('what a Google client throws has one of our codes', () => {
  test.each<[string, unknown, string]>([
    ['Storage 400', apiError(400, 'invalid'), 'invalid'],
    ['Storage 401', apiError(401, 'authError'), 'denied'],
    ['Storage 403', apiError(403, 'forbidden'), 'denied'],
    ['Storage 403 for speed', apiError(403, 'rateLimitExceeded'), 'throttled'],
    ['Storage 403 for retention', apiError(403, 'retentionPolicyNotMet'), 'denied'],
    ['Storage 404', apiError(404, 'notFound'), 'not-found'],
    ['Storage 409', apiError(409, 'conflict'), 'conflict'],
    ['Storage 412', apiError(412, 'conditionNotMet'), 'conflict'],
    ['Storage 429', apiError(429, 'rateLimitExceeded'), 'throttled'],
    ['Storage 501', apiError(501, 'notImplemented'), 'unsupported'],
    ['Storage 503', apiError(503, 'backendError'), 'throttled'],
    ['REST 403', gaxiosError(403, { error: { code: 403, status: 'PERMISSION_DENIED', message: 'no' } }), 'denied'],
    ['REST 404', gaxiosError(404, { error: { code: 404, status: 'NOT_FOUND', message: 'no' } }), 'not-found'],
    [
      'REST 400, wrong state',
      gaxiosError(400, { error: { code: 400, status: 'FAILED_PRECONDITION', message: 'destroyed' } }),
      'conflict',
    ],
    [
      'a login that has run out',
      gaxiosError(400, { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }),
      'denied',
    ],
    [
      'no login',
      named(
        'Could not load the default credentials. Browse to https://cloud.google.com/docs/authentication/getting-started for more information.',
      ),
      'denied',
    ],
    ['no project', named('Unable to detect a Project Id in the current environment.'), 'invalid'],
    ['gRPC INVALID_ARGUMENT', gaxError(3), 'invalid'],
    ['gRPC NOT_FOUND', gaxError(5), 'not-found'],
    ['gRPC ALREADY_EXISTS', gaxError(6), 'conflict'],
    ['gRPC PERMISSION_DENIED', gaxError(7), 'denied'],
    ['gRPC RESOURCE_EXHAUSTED', gaxError(8), 'throttled'],
    ['gRPC FAILED_PRECONDITION', gaxError(9), 'conflict'],
    ['gRPC ABORTED', gaxError(10), 'conflict'],
    ['gRPC UNIMPLEMENTED', gaxError(12), 'unsupported'],
    ['gRPC UNAUTHENTICATED', gaxError(16), 'denied'],
    ['something else', named('x is not a function'), 'bug'],
    ['no error at all', 'a text', 'bug'],
  ])('%s', (_, thrown, code) => {
    expect(gcpError(thrown, 'try it')).toMatchObject({ code, hint: expect.stringMatching(/./) });
  });
});

describe('an answer that never came, or failed in the middle', () => {
  test.each<[string, unknown]>([
    ['a reset', socketError('ECONNRESET')],
    ['an answer that is no HTTP', socketError('HPE_INVALID_CONSTANT')],
    ['a broken pipe', socketError('EPIPE')],
    ['no answer in time', socketError('ETIMEDOUT')],
    ['half an answer', socketError('ERR_STREAM_PREMATURE_CLOSE')],
    ['an abort', Object.assign(new Error('The user aborted a request.'), { name: 'AbortError' })],
    ['408', apiError(408, 'timeout')],
    ['500', apiError(500, 'internalError')],
    ['502', apiError(502, 'badGateway')],
    ['504', apiError(504, 'gatewayTimeout')],
    ['gRPC CANCELLED', gaxError(1)],
    ['gRPC DEADLINE_EXCEEDED', gaxError(4)],
    ['gRPC INTERNAL', gaxError(13)],
    ['gRPC UNAVAILABLE', gaxError(14, '14 UNAVAILABLE: read ECONNRESET')],
  ])('(%s) is unreachable for a read, uncertain for a write', (_, thrown) => {
    expect(gcpError(thrown, 'read it').code).toBe('unreachable');
    expect(gcpError(thrown, 'write it', { written: true }).code).toBe('uncertain');
  });

  test.each<[string, unknown]>([
    ['nothing listens', socketError('ECONNREFUSED')],
    ['nothing listens, for fetch', fetchFailed],
    ['no such host', socketError('ENOTFOUND')],
    ['no route', socketError('EHOSTUNREACH')],
    ['a strange certificate', socketError('SELF_SIGNED_CERT_IN_CHAIN')],
    [
      'gRPC without a connection',
      gaxError(14, '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1'),
    ],
  ])('(%s) is unreachable for a write too: nothing was sent', (_, thrown) => {
    expect(gcpError(thrown, 'write it', { written: true }).code).toBe('unreachable');
  });

  test('to a write in a way that nobody foresaw is uncertain', () => {
    expect(gcpError(new SyntaxError('Unexpected end of JSON input'), 'write it', { written: true }).code).toBe(
      'uncertain',
    );
  });
});

test('the message says what was tried, what came back and its marks, in one line', () => {
  const { message } = gcpError(
    apiError(403, 'forbidden', 'robot@p does not have\nstorage.objects.get access'),
    'read gs://b/k',
  );
  expect(message).toBe('read gs://b/k: robot@p does not have storage.objects.get access (forbidden, 403)');
});

test('the hint of denied names the permission that is needed', () => {
  expect(gcpError(apiError(403, 'forbidden'), 'read it', { needs: 'storage.objects.get' }).hint).toContain(
    'storage.objects.get',
  );
});

test('an error of ours stays what it is', () => {
  const mine = new LockkeeperError('rejected', 'mine');
  expect(gcpError(mine, 'again')).toBe(mine);
});

test('requests and answers, which hold tokens, are not in the cause', () => {
  const planted = new PlantedSecret('ya29.t0ken');
  for (const thrown of [apiError(403, 'forbidden'), gaxiosError(403, { error: { message: 'no' } })])
    planted.search('an error', gcpError(thrown, 'read it'));
  expect(() => planted.expectNowhere()).not.toThrow();
});

test('how long to wait is told in milliseconds, from either kind of headers', () => {
  expect(gcpFault(gaxiosError(429, {})).retryAfterMs).toBe(2_000);
  expect(
    gcpFault(Object.assign(new Error(''), { code: 429, response: { headers: { 'retry-after': '7' } } })).retryAfterMs,
  ).toBe(7_000);
  expect(gcpFault(apiError(429, 'rateLimitExceeded')).retryAfterMs).toBeUndefined();
});

test('what may pass by itself is 408, 429, 5xx but 501, and a broken connection', () => {
  const passing = (thrown: unknown) => isPassing(gcpFault(thrown));
  expect([408, 429, 500, 502, 503, 504].filter((status) => !passing(apiError(status, 'x')))).toEqual([]);
  expect([400, 401, 403, 404, 409, 412, 501].filter((status) => passing(apiError(status, 'x')))).toEqual([]);
  expect(passing(socketError('ECONNRESET'))).toBe(true);
  expect(['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT'].filter((code) => passing(socketError(code)))).toEqual([]);
});
