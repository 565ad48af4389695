import type { ErrorCode } from '../base/error.ts';
import { isWellFormed } from './postgres-messages.ts';

/** What a server did that an honest one does not, or that proves too little, as our error and what to do about it. */
export class ServerDistrusted extends Error {
  readonly meaning: { readonly code: ErrorCode; readonly hint: string };

  constructor(message: string, code: ErrorCode, hint: string) {
    super(message);
    this.name = 'ServerDistrusted';
    this.meaning = { code, hint };
  }
}

/** Thrown where only the question was wanted: how the server asks for the password of one user, with the salt. */
export class ServerAsked extends Error {
  /** `md5`, or `scram:` and the salt, which belongs to the verifier that is asked about. */
  readonly question: string;

  constructor(question: string) {
    super(`the server asks for the password: ${question}`);
    this.name = 'ServerAsked';
    this.question = question;
  }
}

/** How far a login has come: what the server asked for last, or what it has proven. */
type Stage = 'nothing' | 'asked' | 'challenged' | 'proven' | 'in';

/** Bytes. Before the login is over a server has little to say, and in errors and notices never much. */
const limits = { login: 256 * 1024, short: 64 * 1024, message: 8 * 1024 * 1024, all: 32 * 1024 * 1024 };
const fewestIterations = 4_096;
const header = 5;

/**
 * Follows what a server sends, message by message, before anything else reads it. Lets a login be SCRAM only, from its
 * beginning to the server's own proof, and md5 only where the configuration says so; so no password in clear is ever
 * asked for, and a server that asks for nothing is not believed. Bounds what is sent.
 * https://www.postgresql.org/docs/18/protocol-message-formats.html
 */
export class ServerWatch {
  readonly #md5: boolean;
  readonly #asksOnly: boolean;
  #stage: Stage = 'nothing';
  #isLoggedIn = false;
  #pending: Buffer = Buffer.alloc(0);
  #total = 0;

  /** `asksOnly`: throws ServerAsked before a proof of the password is given. */
  constructor(options: { readonly md5: boolean; readonly asksOnly?: boolean }) {
    this.#md5 = options.md5;
    this.#asksOnly = options.asksOnly ?? false;
  }

  /** True once the server asked for the password in one of the ways that are answered. */
  get wasAsked(): boolean {
    return this.#stage !== 'nothing';
  }

  /** True once the server took the password: what it refuses after that, it refuses for another reason. */
  get tookPassword(): boolean {
    return this.#stage === 'in';
  }

  /** Takes the next bytes. Throws ServerDistrusted where one of their messages must not be acted on. */
  check(chunk: Buffer): void {
    this.#total += chunk.length;
    if (this.#total > (this.#isLoggedIn ? limits.all : limits.login)) throw tooMuch();
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    while (rest.length >= header) {
      const type = String.fromCharCode(rest.readUInt8(0));
      const length = rest.readUInt32BE(1);
      const isShort = !this.#isLoggedIn || type === 'E' || type === 'N';
      if (length > (isShort ? limits.short : limits.message)) throw tooMuch();
      if (rest.length <= length) break;
      if (length < 4 || !isWellFormed(type, rest.subarray(header, 1 + length))) throw outOfOrder();
      this.#message(type, rest.subarray(header, 1 + length));
      rest = rest.subarray(1 + length);
    }
    this.#pending = Buffer.from(rest);
  }

  #message(type: string, body: Buffer): void {
    if (this.#isLoggedIn) {
      if (type === 'R') throw outOfOrder();
      return;
    }
    if (type === 'R') this.#authentication(body);
    else if (type === 'Z' && this.#stage === 'in') this.#isLoggedIn = true;
    else if (!'SKNE'.includes(type)) throw outOfOrder();
  }

  #authentication(body: Buffer): void {
    const code = body.readInt32BE(0);
    if (code === 5 && this.#asksOnly) throw new ServerAsked('md5');
    if (code === 10 && this.#stage === 'nothing') this.#stage = 'asked';
    else if (code === 11 && this.#stage === 'asked') this.#challenge(body.toString('latin1', 4));
    else if (code === 12 && this.#stage === 'challenged') this.#stage = 'proven';
    else if (code === 5 && this.#stage === 'nothing' && this.#md5) this.#stage = 'proven';
    else if (code === 0 && this.#stage === 'proven') this.#stage = 'in';
    else throw distrusted(code, this.#stage);
  }

  /** Few iterations make it cheap to guess the password from the answer. That there are not too many is pg's to see. */
  #challenge(message: string): void {
    if (this.#asksOnly) throw new ServerAsked(`scram:${/(?:^|,)s=([^,]*)/.exec(message)?.[1] ?? ''}`);
    const iterations = Number(/(?:^|,)i=(\d+)(?:,|$)/.exec(message)?.[1] ?? 0);
    if (iterations < fewestIterations)
      throw new ServerDistrusted(
        `the server asks for SCRAM with ${iterations} iterations, and ${fewestIterations} are the fewest that are answered`,
        'unsupported',
        `Set scram_iterations to ${fewestIterations} or more and set the password again. ${somebodyElse}`,
      );
    this.#stage = 'challenged';
  }
}

const somebodyElse = 'If that is not what your server does, somebody else answers at this address.';

function distrusted(code: number, stage: Stage): ServerDistrusted {
  if (code === 3)
    return new ServerDistrusted(
      'the server asks for the password in clear, and it was not sent',
      'unsupported',
      `Let pg_hba.conf ask for scram-sha-256 here. ${somebodyElse}`,
    );
  if (code === 5)
    return new ServerDistrusted(
      'the server asks for the password as md5, and it was not sent',
      'unsupported',
      `Set the password again under password_encryption = scram-sha-256, or write authentication: md5. ${somebodyElse}`,
    );
  if (code === 0 && stage === 'nothing')
    return new ServerDistrusted(
      'the server asks for no password, so the login proves nothing',
      'unsupported',
      `Let pg_hba.conf ask for scram-sha-256 here, not trust, peer or cert. ${somebodyElse}`,
    );
  if (code === 0)
    return new ServerDistrusted(
      'the server does not prove that it knows the password',
      'unreachable',
      'Find out who answers at this address.',
    );
  if (code === 2 || (code >= 6 && code <= 9))
    return new ServerDistrusted(
      'the server asks for a login by Kerberos, GSSAPI or SSPI',
      'unsupported',
      `Let pg_hba.conf ask for scram-sha-256 here. ${somebodyElse}`,
    );
  return outOfOrder();
}

function outOfOrder(): ServerDistrusted {
  return new ServerDistrusted(
    "the server does not keep to PostgreSQL's protocol",
    'unreachable',
    'Find out what answers at this address.',
  );
}

function tooMuch(): ServerDistrusted {
  return new ServerDistrusted(
    'the server sends more than any answer can be',
    'unreachable',
    'Find out what answers at this address.',
  );
}
