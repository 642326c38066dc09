import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useSearchParams } from "react-router";

import { isOver, jobQuery, newKey, startRefresh } from "../../api/jobs";
import { asProblem } from "../../api/problem";
import { percent } from "../../format/numbers";
import { Icon } from "../../parts/icons";
import { sentence } from "../../parts/states";

/** Start a refresh and follow it. The job stands in the address: leave, come back, and it is still followed. */
export function RefreshButton({ universe }: { universe: string }) {
  const [address, setAddress] = useSearchParams();
  const parameter = `refresh.${universe}`;
  const id = address.get(parameter);
  const follow = (job: string | null) =>
    setAddress(
      (before) => {
        const after = new URLSearchParams(before);
        if (job === null) after.delete(parameter);
        else after.set(parameter, job);
        return after;
      },
      { replace: true, preventScrollReset: true },
    );
  const start = useMutation({
    mutationFn: () => startRefresh(universe, newKey()),
    onSuccess: (job) => follow(job.id),
  });
  const begin = () => {
    follow(null);
    start.mutate();
  };

  return (
    <div className="flex min-h-9 flex-wrap items-center gap-3">
      {start.isError && <Word tone="failing">{sentence(asProblem(start.error).message)}</Word>}
      {id !== null && <JobProgress id={id} universe={universe} />}
      <button type="button" className="button" disabled={start.isPending} onClick={begin} aria-label={`Refresh ${universe}`}>
        <Icon name="refresh" className={`!size-4 ${start.isPending ? "animate-spin" : ""}`} />
        Refresh
      </button>
    </div>
  );
}

function JobProgress({ id, universe }: { id: string; universe: string }) {
  const client = useQueryClient();
  const { data: job, error } = useQuery(jobQuery(id));
  const hasEnded = job !== undefined && isOver(job);
  useEffect(() => {
    // Whatever became of it, it may have stored something.
    if (hasEnded) void client.invalidateQueries({ queryKey: ["data"], predicate: ({ queryKey }) => queryKey[1] !== "jobs" });
  }, [hasEnded, client]);

  if (job === undefined) return <Word tone={error === null ? "soft" : "failing"}>{error === null ? "Asking …" : sentence(asProblem(error).message)}</Word>;
  if (job.status === "failed") return <Word tone="failing">Failed: {sentence(job.error ?? "no reason was kept")}</Word>;
  if (job.status === "cancelled") return <Word tone="soft">Cancelled.</Word>;
  if (job.status === "succeeded") {
    return (
      <Word tone="soft">
        <Icon name="check" className="mr-1 inline !size-4 text-accent" />
        Refreshed
      </Word>
    );
  }
  return (
    <div className="flex items-center gap-2 text-sm text-soft">
      <progress className="progress" value={job.status === "queued" ? undefined : job.progress} aria-label={`Refresh of ${universe}`} />
      <span role="status" className="tabular-nums">
        {error !== null ? "No answer, asking on …" : job.status === "queued" ? "Waiting to start" : percent(job.progress)}
      </span>
    </div>
  );
}

function Word({ tone, children }: { tone: "soft" | "failing"; children: React.ReactNode }) {
  return (
    <span role="status" className={`text-sm ${tone === "failing" ? "font-medium text-failing" : "text-soft"}`}>
      {children}
    </span>
  );
}
