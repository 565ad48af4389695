import { formatInstant } from '../../base/time.ts';
import { escape, escapeHtml } from '../page.ts';
import type { LinkState } from './links.ts';

/** Asks whether to sign in: for links that a page or a program opened, and not a person. */
export function confirmHtml(who: string, code: string): string {
  return doorHtml(
    'Sign in',
    `<p>This link signs you in as <strong>${escape(who)}</strong>. What you answer then counts as ${escape(who)}'s answer.</p>
<form method="post" action="/sign-in"><input type="hidden" name="token" value="${escapeHtml(code)}"><button>Sign in as ${escape(who)}</button></form>`,
  );
}

/** Why a link does not let in, and what to do. */
export function refusedLinkHtml(state: Exclude<LinkState, { readonly kind: 'fresh' }>, code: string): string {
  if (state.kind === 'used') {
    const end = `<form method="post" action="/end-sign-in"><input type="hidden" name="token" value="${escapeHtml(code)}"><button>End that sign-in</button></form>`;
    return doorHtml(
      'This link was used',
      `<p>This link of ${escape(state.who)} was used at ${formatInstant(state.at)}. A link lets in once.</p>
<p>If it was not you, end that sign-in and tell the other approvers: somebody else saw the link.</p>
${end}
${newLinkForm(state.who)}`,
    );
  }
  if (state.kind === 'expired')
    return doorHtml('This link is too old', `<p>Links let in for an hour.</p>\n${newLinkForm(state.who)}`);
  return doorHtml('This link is not valid', `<p>It may be from before a restart.</p>\n${newLinkForm('')}`);
}

/** For who comes without a link, or whose sign-in is over. */
export function outsideHtml(): string {
  return doorHtml(
    'Not signed in',
    `<p>Open the address that the terminal of <code>lockkeeper serve</code> shows.</p>\n${newLinkForm('')}`,
  );
}

/** What follows a request, as one sentence. */
export function saidHtml(text: string): string {
  return doorHtml(text, newLinkForm(''));
}

function newLinkForm(who: string): string {
  return `<form method="post" action="/link"><label>Your name <input name="who" required autocomplete="off" maxlength="200" value="${escapeHtml(who)}"></label>
<button>Print a new link in the terminal of lockkeeper serve</button></form>`;
}

function doorHtml(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · lockkeeper</title>
</head>
<body>
<h1>lockkeeper</h1>
<h2>${escape(title)}</h2>
${body}
</body>
</html>
`;
}
