import { createHash } from 'node:crypto';
import { isSamePerson } from '../base/person-name.ts';
import { formatInstant, type Instant } from '../base/time.ts';
import { visible, visibleLines } from '../base/visible.ts';
import type { Notice, Question } from './contract.ts';

/** One open question and what was said to it so far. */
export interface PageQuestion {
  readonly question: Question;
  readonly approvedBy: readonly string[];
}

/** One closure on its way, or over. */
export interface PageClosure {
  readonly hash: string;
  readonly title: string;
  /** As people read it: quarantined, settled, reopened. */
  readonly phase: string;
  readonly since: Instant;
  readonly detail: string;
  readonly canReopen: boolean;
}

/** Everything the page shows. */
export interface PageView {
  readonly who: string;
  readonly now: Instant;
  /** What became of this person's answer, right after it was given. */
  readonly said?: string | undefined;
  readonly questions: readonly PageQuestion[];
  readonly closures: readonly PageClosure[];
  readonly notices: readonly Notice[];
}

/** The page as one HTML text without script or outside asset. Everything that came from elsewhere is escaped. */
export function pageHtml(view: PageView): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${view.questions.length} open · lockkeeper</title>
<style>${style}</style>
</head>
<body>
<header><h1>lockkeeper</h1><p>You are <strong>${escape(view.who)}</strong> · ${time(view.now)} · <a href="./">Reload</a></p>
<form method="post" action="sign-out"><button>Sign out</button></form></header>
<main>
${view.said === undefined ? '' : `<p role="status"><strong>Your answer</strong>: ${escape(view.said)}</p>`}
${section(
  'Questions',
  'Nothing waits for a decision.',
  view.questions.map((item) => questionHtml(item, view.who)),
)}
${section('Closures', 'Nothing was closed yet.', view.closures.map(closureHtml))}
${section('Notices', 'No news.', view.notices.toReversed().map(noticeHtml))}
</main>
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; --line: light-dark(#767676, #9a9a9a); --soft: light-dark(#f2f4f7, #23272e);
  --go: light-dark(#0b5cad, #7db8f5); --stop: light-dark(#a34100, #ffab70); }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0 2rem; align-items: baseline; }
header form { margin: 0 0 0 auto; padding: 0; background: none; } header button { padding: .125rem .75rem; }
h1 { font-size: 1.5rem; } h3 { margin: 0 0 .5rem; }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .25rem 1rem; margin: 0 0 1rem; }
dt { font-weight: 600; } dd, .notice { overflow-wrap: anywhere; white-space: pre-wrap; } dd { margin: 0; }
form { margin-top: .5rem; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; background: var(--soft); padding: .75rem; border-radius: .5rem; }
label { display: grid; } input { font: inherit; padding: .25rem .5rem; min-width: 14rem; }
button { font: inherit; padding: .375rem 1rem; border: 2px solid var(--line); border-radius: .375rem; background: none; color: inherit; cursor: pointer; }
button[value=approve] { border-color: var(--go); color: var(--go); } button[value=deny], button[value=reopen] { border-color: var(--stop); color: var(--stop); }
:focus-visible { outline: 3px solid var(--go); outline-offset: 2px; }
code { overflow-wrap: anywhere; } ul { padding-left: 1.25rem; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
`;

const styleHash = createHash('sha256').update(style).digest('base64');

/**
 * Headers to send with the page. `same-origin` and not `no-referrer`: the latter makes browsers send `Origin: null`
 * with a form (Fetch standard, "append a request Origin header").
 */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

function section(title: string, empty: string, items: readonly string[]): string {
  const id = title.toLowerCase();
  const body = items.length === 0 ? `<p>${empty}</p>` : items.join('\n');
  return `<section aria-labelledby="${id}"><h2 id="${id}">${title} (${items.length})</h2>\n${body}\n</section>`;
}

function questionHtml({ question, approvedBy }: PageQuestion, who: string): string {
  const facts = question.facts.map(({ label, text }) => `<dt>${escape(label)}</dt><dd>${escape(text)}</dd>`).join('\n');
  const agreed = approvedBy.length === 0 ? 'nobody yet' : approvedBy.join(', ');
  const id = escapeHtml(`q-${question.hash}`);
  return `<article aria-labelledby="${id}">
<h3 id="${id}">${escape(question.title)}</h3>
<dl>
${facts}
<dt>Owner</dt><dd>${escape(question.owner)}</dd>
<dt>Approved by</dt><dd>${escape(`${agreed} (${approvedBy.length} of ${question.needed} needed)`)}</dd>
<dt>May decide</dt><dd>${escape(question.approvers.join(', '))}</dd>
<dt>Waits until</dt><dd>${time(question.expires)}</dd>
<dt>Hash</dt><dd><code>${escape(question.hash)}</code></dd>
</dl>
${question.approvers.some((one) => isSamePerson(one, who)) ? answerForm(question.hash) : '<p>You are not asked here.</p>'}
</article>`;
}

/** Two forms: Enter in a text field presses a form's first button, and that must never be Approve. */
function answerForm(hash: string): string {
  const start = `<form method="post" action="answer">\n<input type="hidden" name="hash" value="${escapeHtml(hash)}">`;
  return `${start}
<button name="answer" value="approve">Approve</button>
</form>
${start}
<label>Reason<input name="why" required autocomplete="off" maxlength="500"></label>
<label>Until (for snooze and exempt)<input name="until" type="date"></label>
<button name="answer" value="deny">Deny</button>
<button name="answer" value="snooze">Snooze</button>
<button name="answer" value="exempt">Exempt</button>
</form>`;
}

function closureHtml(closure: PageClosure): string {
  const id = escapeHtml(`c-${closure.hash}`);
  return `<article aria-labelledby="${id}">
<h3 id="${id}">${escape(closure.title)}</h3>
<p><strong>${escape(closure.phase)}</strong> since ${time(closure.since)}. ${escape(closure.detail)}</p>
${closure.canReopen ? reopenForm(closure.hash) : ''}
</article>`;
}

function reopenForm(hash: string): string {
  return `<form method="post" action="answer">
<input type="hidden" name="hash" value="${escapeHtml(hash)}">
<label>Why reopen<input name="why" required autocomplete="off" maxlength="500"></label>
<button name="answer" value="reopen">Reopen</button>
</form>`;
}

function noticeHtml(notice: Notice): string {
  const sign = { info: 'ⓘ Info', warning: '⚠ Warning', alarm: '⛔ Alarm' }[notice.level];
  return `<p class="notice"><strong>${sign}</strong>: ${isolated(visibleLines(notice.text))}</p>`;
}

function time(at: Instant): string {
  const text = formatInstant(at);
  return `<time datetime="${text}">${text}</time>`;
}

/** One line that came from elsewhere, as an element shows it. */
export function escape(text: string): string {
  return isolated(visible(text));
}

/** Letters that are written from right to left keep to themselves: numbers and signs beside them stay in their order. */
const rightToLeft = String.raw`\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}`;
const rightToLeftRun = new RegExp(`[${rightToLeft}](?:[${rightToLeft}\\p{M}]| (?=[${rightToLeft}]))*`, 'gu');

function isolated(text: string): string {
  return escapeHtml(text).replaceAll(rightToLeftRun, '<bdi>$&</bdi>');
}

/** Text as the value of an attribute. */
export function escapeHtml(text: string): string {
  const signs: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (sign) => signs[sign] ?? '');
}
