import type { Mutant } from './mutant.ts';

const http = ['test/refreshes/http.test.ts'];
const event = ['test/refreshes/aws-event.test.ts'];
const command = ['test/refreshes/command.test.ts'];

/** Those of the refreshes. */
export const refreshMutants: readonly Mutant[] = [
  {
    name: 'a-message-sent-to-wherever-a-redirect-leads',
    file: 'shared/refreshes/http.ts',
    find: "redirect: 'manual', ",
    replace: '',
    tests: http,
  },
  {
    name: 'a-message-without-its-time-in-the-signature',
    file: 'shared/refreshes/standard-webhook.ts',
    find: 'update(`${id}.${timestamp}.${body}`)',
    replace: 'update(`${id}.${body}`)',
    tests: http,
  },
  {
    name: 'an-id-of-each-attempt',
    file: 'shared/refreshes/http.ts',
    find: 'webhookId(news.rotation, name)',
    replace: 'webhookId(news.rotation, name, String(at))',
    tests: http,
  },
  {
    name: 'a-receiver-s-words-shown-as-they-are',
    file: 'shared/refreshes/http-answer.ts',
    find: '`: ${visibleStart(text)}`',
    replace: '`: ${text}`',
    tests: http,
  },
  {
    name: 'a-key-that-a-receiver-repeats',
    file: 'shared/refreshes/http.ts',
    find: 'throw new OurValues(keys).withholdFrom(thrown);',
    replace: 'throw thrown;',
    tests: http,
  },
  {
    name: 'news-with-whatever-hangs-on-them',
    file: 'shared/refreshes/published-news.ts',
    find: '{ credential, rotation, secrets }: RefreshNews): RefreshNews {\n  return {',
    replace: '{ credential, rotation, secrets, ...more }: RefreshNews): RefreshNews {\n  return { ...more,',
    tests: [...http, ...event],
  },
  {
    name: 'a-failed-entry-taken-for-success',
    file: 'shared/refreshes/aws-event.ts',
    find: '    this.#expectTaken(answer);\n',
    replace: '    void answer;\n',
    tests: event,
  },
  {
    name: 'an-event-for-a-bus-that-is-not-there',
    file: 'shared/refreshes/aws-event.ts',
    find: '    await this.#expectBus();\n',
    replace: '',
    tests: event,
  },
  {
    name: 'a-command-that-sees-every-variable',
    file: 'shared/refreshes/command.ts',
    find: '...Object.fromEntries(inherited),',
    replace: '...environment,',
    tests: command,
  },
  {
    name: 'a-command-whose-children-live-on',
    file: 'shared/refreshes/command.ts',
    find: "process.kill(-pid, 'SIGKILL')",
    replace: "process.kill(pid, 'SIGKILL')",
    tests: command,
  },
  {
    name: 'a-run-that-is-over-and-sends',
    file: 'shared/refreshes/time-limit.ts',
    find: 'if (leftMs > 0) return leftMs;',
    replace: 'if (leftMs !== undefined) return Math.max(leftMs, 100);',
    tests: [...http, ...event, ...command],
  },
];
