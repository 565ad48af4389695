import { adminLogin } from '../../functions/local/own-logins.ts';
import { ownVersions } from '../../functions/local/own-versions.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { AdminLogins, type AdminLogin } from '../../shared/services/admin-login.ts';
import type { Service } from '../../shared/services/contract.ts';

/** What a service in memory knows of its users. */
interface Host {
  holds(slot: string, value: string): boolean;
}

/**
 * `service` as lockkeeper reaches it with the very login that it rotates there: the plan's one secret is its own admin,
 * offered as on a real host. A login that is refused twice in one process is a `bug`.
 */
export function throughItself(
  service: Service,
  host: Host,
  { plan, stores, state, world }: Pick<RotationDeps, 'plan' | 'stores' | 'state' | 'world'>,
): Service {
  const secrets = plan.stores.map(({ store, secret }) => ({ store, name: secret }));
  const [own = { store: '', name: '' }] = secrets;
  const versionsOf = ownVersions({ services: [{ name: plan.name, credential: { secrets } }], state, world });
  const admins = new AdminLogins(adminLogin({ secret: own }, { environment: {}, secrets: stores, versionsOf }));
  const refused: string[] = [];
  const connected = async () => {
    const shown: AdminLogin[] = [];
    for (;;) {
      const admin = await admins.next('here', shown);
      if (!admin) throw new LockkeeperError('denied', "lockkeeper's own login is refused");
      const isIn = host.holds(admin.user, admin.password.open());
      admins.heard('here', admin, !isIn);
      if (isIn) return service;
      if (refused.includes(admin.password.open())) throw new LockkeeperError('bug', 'a login was refused twice');
      refused.push(admin.password.open());
      shown.push(admin);
    }
  };
  return {
    describe: async () => (await connected()).describe(),
    change: async (login, keep, guard) => (await connected()).change(login, keep, guard),
    accepts: (login) => service.accepts(login),
    sessions: async (slot, before) => (await connected()).sessions(slot, before),
    retire: async (slot, keep, guard, options) => (await connected()).retire(slot, keep, guard, options),
  };
}
