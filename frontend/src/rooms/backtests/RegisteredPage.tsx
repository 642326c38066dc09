import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "react-router";

import { addressOf, send } from "../../api/client";
import { asProblem } from "../../api/problem";
import { registrationQuery, type Schemas } from "../../api/queries";
import { remote } from "../../api/remote";
import { exact } from "../../format/moments";
import { count, direction, percent, ratio } from "../../format/numbers";
import { specOf } from "../../format/spec";
import { Icon } from "../../parts/icons";
import { Link } from "../../parts/Link";
import { Ago, Card, Change, Crumbs, Scroll, Title } from "../../parts/pieces";
import { Draw, Empty, Skeleton, sentence } from "../../parts/states";
import { named } from "./BacktestList";

type Registration = Schemas["PreregistrationOut"];
type Sample = Schemas["SampleOut"];

/** One frozen spec: what was expected, and what has come of it since. */
export function RegisteredPage() {
  const { id = "" } = useParams();
  const found = remote(useQuery(registrationQuery(id)));
  return (
    <>
      <Crumbs
        path={[
          ["Backtests", "/backtests"],
          ["Registered", "/backtests/registered"],
        ]}
      />
      {found.state !== "ready" && <h1 className="sr-only">Registered</h1>}
      <Draw of={found} what="this registration" skeleton={<Skeleton className="h-72" />}>
        {(registration) => <Registered registration={registration} />}
      </Draw>
    </>
  );
}

function Registered({ registration }: { registration: Registration }) {
  const spec = specOf(registration.spec);
  const title = `${named(spec.strategy)} on ${spec.universe}`;
  const newest = registration.backtest_ids[0];
  return (
    <>
      <Title
        name={title}
        detail={
          <>
            Frozen <Ago moment={registration.frozen_at} />, {exact(new Date(registration.frozen_at))}; sessions after that day are out of sample for good.
          </>
        }
        actions={<Extend id={registration.id} />}
      >
        {title}
      </Title>
      <div className="space-y-6">
        <Card title="What was expected">
          <p className="px-5 pt-1 pb-5 break-words whitespace-pre-wrap">{registration.reason}</p>
        </Card>
        <Card
          title="What came of it"
          detail="Net of costs. Each day’s ingest extends it."
          actions={
            newest !== undefined && (
              <Link className="button" to={`/backtests/${newest}`}>
                Open the newest result
              </Link>
            )
          }
        >
          {newest === undefined ? <Empty title="Not run yet">Extend it, or wait for the next ingest.</Empty> : <Samples before={registration.in_sample} since={registration.out_of_sample} />}
        </Card>
      </div>
    </>
  );
}

function Samples({ before, since }: { before: Sample | null; since: Sample | null }) {
  return (
    <>
      <Scroll label="Before and since">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Sample</th>
              <th scope="col">Sessions</th>
              <th scope="col" className="number">
                Return
              </th>
              <th scope="col" className="number">
                Max drawdown
              </th>
              <th scope="col" className="number">
                Sharpe a session
              </th>
              <th scope="col" className="number">
                Probability that it is above 0
              </th>
            </tr>
          </thead>
          <tbody>
            <Line name="Before, in sample" sample={before} />
            <Line name="Since, out of sample" sample={since} />
          </tbody>
        </table>
      </Scroll>
      {since === null && <p className="px-5 py-4 text-sm text-soft">No session has come since it was frozen, or none was ingested yet.</p>}
    </>
  );
}

function Line({ name, sample }: { name: string; sample: Sample | null }) {
  if (sample === null) return null;
  return (
    <tr>
      <th scope="row" className="font-medium whitespace-nowrap">
        {name}
      </th>
      <td className="whitespace-nowrap">
        {sample.first} → {sample.last} <span className="block text-xs text-soft">{count(sample.n_returns)} returns</span>
      </td>
      <td className="number">
        <Change direction={direction(sample.total_return)}>{percent(sample.total_return, { signed: true })}</Change>
      </td>
      <td className="number">{percent(sample.max_drawdown)}</td>
      <td className="number">{ratio(sample.sharpe)}</td>
      <td className="number">{percent(sample.probabilistic_sharpe)}</td>
    </tr>
  );
}

/** Run it up to the newest snapshot; without a newer one nothing changes. */
function Extend({ id }: { id: string }) {
  const client = useQueryClient();
  const extend = useMutation({
    mutationFn: () => send("POST", addressOf("/api/v1/backtest/preregistrations/{preregistration_id}/extend", { preregistration_id: id })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["registered", id] }),
  });
  return (
    <div className="flex flex-wrap items-center gap-3">
      {extend.isError && (
        <span role="alert" className="text-sm font-medium text-failing">
          {sentence(asProblem(extend.error).message)}
        </span>
      )}
      <button type="button" className="button" disabled={extend.isPending} onClick={() => extend.mutate()}>
        <Icon name="refresh" className={`!size-4 ${extend.isPending ? "animate-spin" : ""}`} />
        {extend.isPending ? "Extending …" : "Extend to today"}
      </button>
    </div>
  );
}
