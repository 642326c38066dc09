import { useMutation } from "@tanstack/react-query";

import { addressOf, file } from "../../api/client";
import { save } from "../../parts/save";

/** The whole result as one page to keep, print or send. */
export function Tearsheet({ id }: { id: string }) {
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => file(addressOf("/api/v1/backtest/{id}/tearsheet.html", { id })),
    onSuccess: (page) => save(page, `tearsheet-${id.slice(0, 12)}.html`),
  });
  return (
    <>
      <button type="button" className="button" disabled={isPending} onClick={() => mutate()}>
        {isPending ? "Drawing …" : "Tearsheet"}
      </button>
      {error !== null && (
        <span role="alert" className="text-sm text-failing">
          {error.message}
        </span>
      )}
    </>
  );
}
