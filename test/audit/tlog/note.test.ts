import { fc } from '../../properties.ts';
import { describe, expect, test } from '@jest/globals';
import {
  formatNote,
  keyId,
  parseNote,
  parseVerifierKey,
  verifierKey,
  verifyNote,
  type Note,
} from '../../../shared/audit/tlog/note.ts';
import { memorySigner } from '../../../shared/signers/memory.ts';
import {
  enochKey,
  goNote,
  peterKey,
  peterSeed,
  publicCheckpoint,
  publicLogKey,
  publicWitnessKeys,
  specKey,
  specNote,
} from './known-notes.ts';

const invalid: unknown = expect.objectContaining({ code: 'invalid' });
const signed =
  '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

describe('notes of other projects', () => {
  test.each([
    ['the example of the specification', specNote, [specKey]],
    ['an example that two signed', goNote, [peterKey, enochKey]],
    [
      'a public checkpoint with cosignatures of public witnesses',
      publicCheckpoint,
      [publicLogKey, ...publicWitnessKeys],
    ],
  ])('%s verifies, under each key alone and all together', (_, text, lines) => {
    const keys = lines.map(parseVerifierKey);
    const note = parseNote(text);
    expect(verifyNote(note, keys)).toEqual(keys);
    for (const key of keys) expect(verifyNote(note, [key])).toEqual([key]);
    expect(formatNote(note.text, note.signatures)).toBe(text);
  });

  test('is written as they wrote it', async () => {
    const signer = memorySigner(peterSeed);
    const { text } = parseNote(goNote);
    const [name, id] = ['PeterNeumann', keyId('PeterNeumann', 0x01, await signer.publicKey())];
    expect(verifierKey(name, await signer.publicKey())).toBe(peterKey);
    expect(goNote.startsWith(formatNote(text, [{ name, id, bytes: await signer.sign(Buffer.from(text)) }]))).toBe(true);
  });
});

describe('a signature', () => {
  const keys = [parseVerifierKey(specKey)];

  test('of an unknown key is ignored, whatever it is', () => {
    expect(verifyNote(parseNote(goNote), keys)).toEqual([]);
    const sameName = { name: 'example.com/foo', id: '00000000', bytes: Buffer.from('nonsense') };
    const sameId = { name: 'example.com/bar', id: '530d903a', bytes: Buffer.from('nonsense') };
    const { text, signatures } = parseNote(specNote);
    expect(verifyNote({ text, signatures: [sameName, sameId, ...signatures] }, keys)).toEqual(keys);
    expect(verifyNote({ text, signatures: [sameName, sameId] }, keys)).toEqual([]);
  });

  test('of a known key that does not fit makes the whole note invalid, even beside one that fits', () => {
    const { text, signatures } = parseNote(specNote);
    const bad = signatures.map(({ name, id, bytes }) => ({
      name,
      id,
      bytes: bytes.map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
    }));
    expect(() => verifyNote({ text, signatures: bad }, keys)).toThrow(invalid);
    expect(() => verifyNote({ text, signatures: [...signatures, ...bad] }, keys)).toThrow(invalid);
    expect(() =>
      verifyNote({ text, signatures: signatures.map((one) => ({ ...one, bytes: one.bytes.subarray(1) })) }, keys),
    ).toThrow(invalid);
  });

  test('twice counts once', () => {
    const { text, signatures } = parseNote(specNote);
    expect(verifyNote({ text, signatures: [...signatures, ...signatures] }, keys)).toEqual(keys);
  });

  test('fits no other text: no flipped bit in text, time or signature goes unseen', () => {
    const [log, , , witness] = [publicLogKey, ...publicWitnessKeys].map(parseVerifierKey);
    if (!log || !witness) throw new Error('keys are missing');
    const note = parseNote(publicCheckpoint);
    const own = note.signatures.filter(({ id }) => id === log.id || id === witness.id);
    for (let at = 0; at < note.text.length; at += 1) {
      const text = note.text.slice(0, at) + String.fromCharCode(note.text.charCodeAt(at) ^ 1) + note.text.slice(at + 1);
      expect(() => verifyNote({ text, signatures: own }, [log])).toThrow(invalid);
      expect(() => verifyNote({ text, signatures: own }, [witness])).toThrow(invalid);
    }
    for (const signature of own) {
      for (let at = 0; at < signature.bytes.length; at += 1) {
        const bytes = signature.bytes.map((byte, place) => (place === at ? byte ^ 0x10 : byte));
        expect(() => verifyNote({ text: note.text, signatures: [{ ...signature, bytes }] }, [log, witness])).toThrow(
          invalid,
        );
      }
    }
  });
});

describe('the form of a note', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9./:ü–-]{1,40}$/);
  const signature = fc.record({
    name,
    id: fc.stringMatching(/^[0-9a-f]{8}$/),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 80 }),
  });
  const texts = fc
    .array(fc.string({ unit: 'grapheme' }), { minLength: 1 })
    .map((lines) => lines.map((line) => `${line.replaceAll(/\p{Cc}/gu, ' ')}\n`).join(''));

  test('gives text and signatures back, blank lines in the text included', () => {
    fc.assert(
      fc.property(texts, fc.array(signature, { minLength: 1, maxLength: 16 }), (text, signatures) => {
        const note = formatNote(text, signatures);
        expect(plain(parseNote(note))).toEqual(plain({ text, signatures }));
        expect(plain(parseNote(Buffer.from(note)))).toEqual(plain({ text, signatures }));
      }),
    );
  });

  test('splits at the last blank line', () => {
    expect(parseNote(`a\n\n— not a signature\n\n${signed}`).text).toBe('a\n\n— not a signature\n');
  });

  test.each([
    ['nothing', ''],
    ['no blank line', `a\n${signed}`],
    ['no signature', 'a\n\n'],
    ['no text', `\n${signed}`],
    ['no newline at the end', `a\n\n${signed.trimEnd()}`],
    ['something after the signatures', `a\n\n${signed}x`],
    ['a blank line at the end', `a\n\n${signed}\n`],
    ['a hyphen for the dash', `a\n\n${signed.replace('—', '-')}`],
    ['an en dash for the em dash', `a\n\n${signed.replace('—', '–')}`],
    ['two spaces', `a\n\n${signed.replace(' ', '  ')}`],
    ['a space at the end of a line', `a\n\n${signed.replace('\n', ' \n')}`],
    ['a name with a plus', `a\n\n${signed.replace('foo', 'f+o')}`],
    ['a name with a Unicode space', `a\n\n${signed.replace('foo', 'f\u2003o')}`],
    ['no name', `a\n\n${signed.replace('example.com/foo ', '')}`],
    ['a carriage return', `a\r\n\n${signed}`],
    ['a tab', `a\tb\n\n${signed}`],
    ['a zero byte', `a\0\n\n${signed}`],
    ['half a Unicode character', `a\ud800\n\n${signed}`],
    ['base64 without its padding', `a\n\n${signed.replace('=', '')}`],
    ['base64 for URLs', `a\n\n— k ${'-_'.repeat(8)}\n`],
    ['base64 with bits left over', `a\n\n— k ${Buffer.alloc(5).toString('base64').replace('AA=', 'AB=')}\n`],
    ['an id and no signature', `a\n\n— k ${Buffer.alloc(4).toString('base64')}\n`],
    ['101 signatures', `a\n\n${signed.repeat(101)}`],
    ['more than a million bytes', `${'ü'.repeat(500_000)}\n\n${signed}`],
  ])('%s is refused', (_, note) => {
    expect(() => parseNote(note)).toThrow(invalid);
  });

  test('bytes that are no UTF-8 are refused, and a byte order mark belongs to the text', () => {
    const good = Buffer.from(`a\n\n${signed}`);
    expect(() => parseNote(Buffer.concat([Uint8Array.of(0xff), good]))).toThrow(invalid);
    expect(() => parseNote(Buffer.concat([Uint8Array.of(0xc0, 0x8a), good]))).toThrow(invalid);
    expect(parseNote(Buffer.concat([Uint8Array.of(0xef, 0xbb, 0xbf), good])).text).toBe('\ufeffa\n');
  });

  test('100 signatures are read', () => {
    expect(parseNote(`a\n\n${signed.repeat(100)}`).signatures).toHaveLength(100);
  });

  test('nothing is written that could not be read', () => {
    const good = parseNote(specNote).signatures;
    for (const text of ['', 'a', 'a\r\n', 'a\n\n— k AAAA']) expect(() => formatNote(text, good)).toThrow(invalid);
    expect(() => formatNote('a\n', [])).toThrow(invalid);
    expect(() =>
      formatNote(
        'a\n',
        good.map((one) => ({ ...one, name: 'two words' })),
      ),
    ).toThrow(invalid);
    expect(() =>
      formatNote(
        'a\n',
        good.map((one) => ({ ...one, id: 'no id' })),
      ),
    ).toThrow(invalid);
  });
});

describe('a verifier key', () => {
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });

  test('is read as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom(0x01, 0x04), async (seed, type) => {
        const publicKey = await memorySigner(seed).publicKey();
        const text = verifierKey('example.com/log', publicKey, type);
        expect(parseVerifierKey(text)).toEqual({
          name: 'example.com/log',
          id: keyId('example.com/log', type, publicKey),
          type,
          publicKey,
        });
      }),
    );
  });

  test('changed in any letter is refused, and so is any part of it', () => {
    for (let at = 0; at < specKey.length; at += 1) {
      const other = specKey[at] === 'x' ? 'y' : 'x';
      expect(() => parseVerifierKey(specKey.slice(0, at) + other + specKey.slice(at + 1))).toThrow(
        /^verifier key|cannot be the name/,
      );
      expect(() => parseVerifierKey(specKey.slice(0, at))).toThrow(invalid);
      expect(() => parseVerifierKey(specKey.slice(at + 1))).toThrow(invalid);
    }
  });

  test('of another kind than Ed25519 is unsupported, and one of another length invalid', () => {
    const odd = (bytes: Uint8Array) => parseVerifierKey(`k+00000000+${Buffer.from(bytes).toString('base64')}`);
    expect(() => odd(Buffer.alloc(33, 2))).toThrow(expect.objectContaining({ code: 'unsupported' }));
    expect(() => odd(Buffer.alloc(34, 1))).toThrow(invalid);
    expect(() => verifierKey('two words', Buffer.alloc(32))).toThrow(invalid);
  });
});

function plain({ text, signatures }: Note): unknown {
  return {
    text,
    signatures: signatures.map(({ name, id, bytes }) => ({ name, id, bytes: Buffer.from(bytes).toString('hex') })),
  };
}
