/** Sign-in by OpenID Connect: authorization code with PKCE. Loaded only where `config.json` names an issuer. */
import { InMemoryWebStorage, UserManager, WebStorageStateStore, type User } from "oidc-client-ts";

import { isRecord } from "./problem";
import { type Config, type Session, safeReturn } from "./session";

const CALLBACK = "/signed-in";
const JUST_NOW_MS = 10_000;

/** Session of a signed-in person; null when the browser is on its way to the sign-in page. */
export async function openOidc(config: Config): Promise<Session | null> {
  const manager = new UserManager({
    authority: config.issuer,
    client_id: config.client_id,
    scope: config.scope,
    redirect_uri: `${location.origin}${CALLBACK}`,
    response_type: "code",
    automaticSilentRenew: true,
    // The token is never written anywhere; only the proof of the redirect (state and verifier) outlives the page.
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
  });
  let user: User | null = null;
  manager.events.addUserLoaded((loaded) => void (user = loaded));
  manager.events.addUserUnloaded(() => void (user = null));

  const leave = () => manager.signinRedirect({ state: { returnTo: location.pathname + location.search } });
  if (location.pathname !== CALLBACK) {
    await leave();
    return null;
  }
  // Off the address before anything else: a reload must not spend the code twice.
  const address = location.href;
  history.replaceState(null, "", "/");
  user = await manager.signinRedirectCallback(address);
  let signedInAt = performance.now();
  manager.events.addUserLoaded(() => void (signedInAt = performance.now()));
  history.replaceState(null, "", safeReturn(isRecord(user.state) ? user.state.returnTo : null));
  return {
    token: () => user?.access_token ?? null,
    // A token refused as soon as it came would be refused again: say so instead of going round in circles.
    signIn: () => (performance.now() - signedInAt < JUST_NOW_MS ? Promise.resolve() : leave()),
    signOut: async () => {
      await manager.removeUser();
      location.assign(signOutAddress(config, location.origin));
    },
  };
}

/** Where the issuer forgets the person; Cognito has its own address for it, and its metadata do not name it. */
export function signOutAddress(config: Config, origin: string): string {
  if (config.sign_in_host === null) return "/";
  const query = new URLSearchParams({ client_id: config.client_id, logout_uri: `${origin}/` });
  return `https://${config.sign_in_host}/logout?${query.toString()}`;
}
