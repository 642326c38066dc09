import { useQuery } from "@tanstack/react-query";
import { useLocation, useNavigate } from "react-router";

import { statusQuery } from "../api/queries";
import { universeAddress, universeOf } from "./address";

/** The universe of the Data room's pages, and that which a strategy's form begins with. */
export function UniversePicker() {
  const { pathname, search } = useLocation();
  const navigate = useNavigate();
  const keys = useQuery(statusQuery).data?.data.map(({ key }) => key) ?? [];
  if (keys.length === 0) return null;
  const address = new URLSearchParams(search);
  // A form is of one universe, whether the address names it yet or not.
  const isOfOne = /^\/strategies\/./.test(pathname);
  const chosen = universeOf(pathname, address) ?? (isOfOne ? (keys[0] ?? "") : "");
  return (
    <select
      aria-label="Universe"
      className="field !w-auto min-w-0 max-w-52 flex-1 !border-line text-sm sm:flex-none"
      value={chosen}
      onChange={(event) => void navigate(universeAddress(pathname, address, event.target.value), { preventScrollReset: true })}
    >
      {!isOfOne && <option value="">All universes</option>}
      {chosen !== "" && !keys.includes(chosen) && <option>{chosen}</option>}
      {keys.map((key) => (
        <option key={key}>{key}</option>
      ))}
    </select>
  );
}
