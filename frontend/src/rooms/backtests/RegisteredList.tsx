import { useQuery } from "@tanstack/react-query";

import { registeredQuery } from "../../api/queries";
import { remote } from "../../api/remote";
import { Link } from "../../parts/Link";
import { Ago, Card, Crumbs, Scroll, Title } from "../../parts/pieces";
import { Draw, Empty, SkeletonRows } from "../../parts/states";
import { named } from "./BacktestList";

/** Every spec that was frozen before its future was seen. */
export function RegisteredList() {
  const list = remote(useQuery(registeredQuery));
  return (
    <>
      <Crumbs path={[["Backtests", "/backtests"]]} />
      <Title name="Registered" detail="Frozen before their future was seen, newest first. None can be changed or taken back.">
        Registered
      </Title>
      <Card>
        <Draw of={list} what="what is registered" skeleton={<SkeletonRows rows={4} />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title="Nothing is registered yet">Open a backtest and choose “Register”: what happens after that moment is the only honest test of it.</Empty>
            ) : (
              <Scroll label="Registered">
                <table className="table">
                  <thead>
                    <tr>
                      <th scope="col">Strategy</th>
                      <th scope="col">What is expected</th>
                      <th scope="col" className="number">
                        Frozen
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.map((row) => (
                      <tr key={row.id} className="relative hover:bg-raised">
                        <td>
                          <Link to={`/backtests/registered/${row.id}`} className="font-medium whitespace-nowrap after:absolute after:inset-0 hover:text-accent">
                            {named(row.strategy)}
                          </Link>
                          <span className="block text-xs whitespace-nowrap text-soft">{row.universe}</span>
                        </td>
                        <td className="max-w-md">
                          <span className="line-clamp-2 break-words">{row.reason}</span>
                        </td>
                        <td className="number text-soft">
                          <Ago moment={row.frozen_at} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Scroll>
            )
          }
        </Draw>
      </Card>
    </>
  );
}
