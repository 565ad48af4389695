/** What a server or a socket said, as one line that people read to its end. */
export function messageOf(thrown: unknown): string {
  const said =
    typeof thrown === 'object' && thrown !== null && 'message' in thrown ? String(thrown.message) : String(thrown);
  const line = said.replaceAll(/\p{Cc}+/gu, ' ');
  return line.length <= longestMessage ? line : `${line.slice(0, longestMessage).toWellFormed()}…`;
}

const longestMessage = 1_000;

/** The SQLSTATE or Node's socket code; empty where there is none. */
export function codeOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : '';
}
