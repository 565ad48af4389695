import type { LocalPage } from '../../shared/approvals/local-page.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import type { World } from '../../shared/base/world.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import type { ClosingDeps } from '../../shared/idle-ports/closing/closing-deps.ts';
import { queue } from '../../shared/idle-ports/closing/queue.ts';
import { openPageServer } from './page-server.ts';

/** The approvals page while it is open. */
export interface OpenPage {
  readonly page: LocalPage;
  readonly origin: string;
  /** Where each approver comes in; the token in it works until the page closes. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Begins to serve what is in these deps. */
  serve(deps: ClosingDeps): void;
  close(): Promise<void>;
}

/** Opens the page for these people on 127.0.0.1:`port`; 0 takes a free port. */
export async function openPage(people: readonly string[], port: number, world: World): Promise<OpenPage> {
  const { localPage } = await import('../../shared/approvals/local-page.ts');
  const server = await openPageServer(port);
  const tokens = new Map(people.map((who) => [who, new Sealed(Buffer.from(world.random(24)).toString('hex'))]));
  const page = localPage({ tokens, origin: server.origin, world });
  return {
    page,
    origin: server.origin,
    addresses: new Map([...tokens].map(([who, token]) => [who, `${server.origin}/?token=${token.open()}`])),
    serve(deps) {
      // What became of each person's last answer; shown once, on the page that follows it.
      const said = new Map<string, string>();
      server.serve({
        authorise: (request) => page.authorise(request),
        hear: (message) => page.hear(message),
        async answer(heard) {
          const { text } = await takeAnswer(deps, heard);
          said.set(heard.who, text);
          return text;
        },
        async show(who) {
          const html = page.html({
            who,
            now: world.now(),
            said: said.get(who),
            ...(await queue(deps)),
            notices: page.shown().notices,
          });
          said.delete(who);
          return html;
        },
      });
    },
    close: () => server.close(),
  };
}
