import type { Entrance, LocalPage } from '../../shared/approvals/local-page.ts';
import type { Sealed } from '../../shared/base/sealed.ts';
import type { World } from '../../shared/base/world.ts';
import { takeAnswer } from '../../shared/idle-ports/closing/answers.ts';
import type { ClosingDeps } from '../../shared/idle-ports/closing/closing-deps.ts';
import { queue } from '../../shared/idle-ports/closing/queue.ts';
import { openPageServer, type PageHandlers } from './page-server.ts';

/** What happens at the page's door. */
export interface PageEvents {
  /** Somebody asked for a new link of this person: show it where only this person's side can read it. */
  newLink(who: string, address: Sealed): void;
  signedIn(who: string): void;
}

/** The approvals page while it is open. */
export interface OpenPage {
  readonly page: LocalPage;
  readonly origin: string;
  /** A new address where this approver comes in, once, within an hour. */
  link(who: string): string;
  /** Begins to serve what is in these deps. */
  serve(deps: ClosingDeps): void;
  close(): Promise<void>;
}

/** Opens the page for these people on 127.0.0.1:`port`; 0 takes a free port. */
export async function openPage(
  people: readonly string[],
  { port, world, events }: { readonly port: number; readonly world: World; readonly events: PageEvents },
): Promise<OpenPage> {
  const { localPage } = await import('../../shared/approvals/local-page.ts');
  const server = await openPageServer(port);
  const page = localPage({ people, origin: server.origin, world });
  return {
    page,
    origin: server.origin,
    link: (who) => page.link(who).open(),
    serve: (deps) => server.serve({ ...doorOf(page, events), ...roomOf(page, deps, world) }),
    close: () => server.close(),
  };
}

function doorOf(page: LocalPage, events: PageEvents): Pick<PageHandlers, 'authorise' | 'outside' | 'signOut'> {
  const told = (entrance: Entrance): Entrance => {
    if (entrance.kind === 'signed-in') events.signedIn(entrance.who);
    return entrance;
  };
  return {
    authorise: (request) => told(page.authorise(request)),
    outside: (message) => told(page.outside(message, (who, address) => events.newLink(who, address))),
    signOut: (message) => page.signOut(message),
  };
}

function roomOf(page: LocalPage, deps: ClosingDeps, world: World): Pick<PageHandlers, 'hear' | 'answer' | 'show'> {
  // What became of each person's last answer; shown once, on the page that follows it.
  const said = new Map<string, string>();
  return {
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
  };
}
