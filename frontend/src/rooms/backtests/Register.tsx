import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { send } from "../../api/client";
import { asProblem, isRecord, Problem } from "../../api/problem";
import { useCarried } from "../../frame/address";
import type { Preset } from "../../format/costs";
import { registrationOf, type Spec } from "../../format/spec";
import { sentence } from "../../parts/states";

/** Freeze the spec of a result before more of the future is seen, with what is expected of it. */
export function Register({ spec, presets }: { spec: Spec; presets: readonly Preset[] }) {
  const [reason, setReason] = useState("");
  const register = useRegister();
  const submit = (event: React.SyntheticEvent) => {
    event.preventDefault();
    if (reason.trim() !== "" && !register.isPending) register.mutate(registrationOf(spec, presets, reason.trim()));
  };
  return (
    <details className="relative">
      <summary className="button">Register</summary>
      <form onSubmit={submit} className="card absolute right-0 z-20 mt-2 w-80 max-w-[calc(100vw-2rem)] space-y-3 p-4 shadow-lg">
        <label className="block text-sm">
          <span className="font-medium">What do you expect of it, and why?</span>
          <textarea className="field mt-1 min-h-24" required maxLength={2000} value={reason} onChange={(event) => setReason(event.target.value)} />
        </label>
        <p className="text-sm text-soft">Everything but the end is frozen now, for good. Each day’s ingest extends it, and sessions after today are kept apart as out of sample.</p>
        {register.isError && (
          <p role="alert" className="text-sm font-medium text-failing">
            Not registered. {sentence(asProblem(register.error).message)}
          </p>
        )}
        <button type="submit" className="button button-main w-full" disabled={reason.trim() === "" || register.isPending}>
          {register.isPending ? "Registering …" : "Register it"}
        </button>
      </form>
    </details>
  );
}

function useRegister() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const carried = useCarried();
  return useMutation({
    mutationFn: async (body: Record<string, unknown>): Promise<string> => {
      // Sent again after a lost network it is the one that is frozen already.
      const found = await send("POST", "/api/v1/backtest/preregistrations", { body });
      if (!isRecord(found) || typeof found.id !== "string") throw new Problem(-1, "the answer is not a registration");
      return found.id;
    },
    onSuccess: (id) => {
      void client.invalidateQueries({ queryKey: ["registered"] });
      return navigate(carried(`/backtests/registered/${id}`));
    },
  });
}
