import { Suspense } from "react";
import { NavLink, Outlet, ScrollRestoration, useLocation } from "react-router";

import { session } from "../api/session";
import { Icon, type IconName } from "../parts/icons";
import { Skeleton } from "../parts/states";
import { universeOf, useCarried } from "./address";
import { ClockControl } from "./ClockControl";
import { DataAge } from "./DataAge";
import { Past } from "./Past";
import { chooseTheme, useTheme } from "./theme";
import { UniversePicker } from "./UniversePicker";

const ROOMS: readonly { to: string; name: string; icon: IconName }[] = [
  { to: "/strategies", name: "Strategies", icon: "strategies" },
  { to: "/backtests", name: "Backtests", icon: "backtests" },
  { to: "/data", name: "Data", icon: "data" },
];

/** Rail or bottom bar, header, and the room of the address. */
export function Shell() {
  return (
    <div className="md:pl-20 xl:pl-56">
      <a href="#room" className="button button-main fixed top-2 left-2 z-50 -translate-y-20 focus:translate-y-0">
        Skip to the content
      </a>
      <Rail />
      {/* On a phone it has two rows and scrolls away: the view needs the room. */}
      <header className="top-0 z-20 border-b border-line bg-ground/90 backdrop-blur max-md:relative md:sticky">
        <div className="mx-auto flex min-h-14 max-w-[1328px] flex-wrap items-center gap-x-2 gap-y-1 px-4 py-2 sm:px-6">
          <span className="flex items-center gap-2 font-semibold md:hidden">
            <Logo /> Parakeet
          </span>
          <div className="flex items-center gap-1 max-md:order-last max-md:w-full max-md:justify-between">
            <UniversePicker />
            <ClockControl />
          </div>
          <div className="ml-auto flex items-center gap-1">
            <DataAge />
            <ThemeToggle />
            <SignOut />
          </div>
        </div>
      </header>
      <Past />
      <main id="room" tabIndex={-1} className="mx-auto max-w-[1328px] px-4 pt-6 pb-28 outline-none sm:px-6 md:pb-16">
        <Suspense fallback={<RoomSkeleton />}>
          <Outlet />
        </Suspense>
      </main>
      <ScrollRestoration />
    </div>
  );
}

function Rail() {
  const { pathname, search } = useLocation();
  const carried = useCarried();
  const universe = universeOf(pathname, new URLSearchParams(search));
  // The Data room opens on the universe that is chosen elsewhere; from within it leads out to all of them.
  const place = (to: string) => carried(to === "/data" && universe !== null && !pathname.startsWith("/data") ? `/data/${encodeURIComponent(universe)}` : to);
  return (
    <nav
      aria-label="Rooms"
      className="fixed inset-x-0 bottom-0 z-30 border-t border-line bg-card pb-[env(safe-area-inset-bottom)] md:inset-y-0 md:right-auto md:w-20 md:border-t-0 md:border-r md:pb-0 xl:w-56"
    >
      <p className="hidden h-14 items-center gap-2.5 px-6 font-semibold md:flex xl:px-4">
        <Logo />
        <span className="hidden whitespace-nowrap xl:inline">Potential Parakeet</span>
      </p>
      <ul className="flex md:flex-col md:gap-1 md:px-2 md:pt-2 xl:px-3">
        {ROOMS.map(({ to, name, icon }) => (
          <li key={to} className="flex-1">
            <NavLink
              to={place(to)}
              className={({ isActive }) =>
                `flex min-h-14 flex-col items-center justify-center gap-0.5 rounded-lg px-3 text-xs md:min-h-16 xl:min-h-10 xl:flex-row xl:justify-start xl:gap-3 xl:text-[0.95rem] ${
                  isActive ? "font-semibold text-accent xl:bg-raised" : "text-soft hover:text-ink"
                }`
              }
            >
              <Icon name={icon} />
              {name}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Logo() {
  return <img src="/favicon.svg" alt="" className="size-7" />;
}

function ThemeToggle() {
  const other = useTheme() === "dark" ? "light" : "dark";
  return (
    <button type="button" className="grid size-10 place-items-center rounded-lg text-soft hover:bg-raised hover:text-ink" aria-label={`Switch to the ${other} theme`} onClick={() => chooseTheme(other)}>
      <Icon name={other === "dark" ? "moon" : "sun"} />
    </button>
  );
}

function SignOut() {
  const { signOut } = session();
  if (signOut === null) return null;
  return (
    <button type="button" className="button" onClick={() => void signOut()}>
      Sign out
    </button>
  );
}

export function RoomSkeleton() {
  return (
    <div aria-busy="true">
      <Skeleton className="mb-6 h-9 w-64" />
      <Skeleton className="mb-4 h-28 w-full" />
      <Skeleton className="h-96 w-full" />
    </div>
  );
}
