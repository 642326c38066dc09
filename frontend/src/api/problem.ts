/** What went wrong with a request, in the one form that the API uses (problem+json, RFC 9457). */
export interface FieldProblem {
  field: string;
  reason: string;
}

export class Problem extends Error {
  readonly status: number;
  readonly fields: readonly FieldProblem[];

  constructor(status: number, detail: string, fields: readonly FieldProblem[] = []) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.fields = fields;
  }

  /** No answer at all: the network, or a server that is not running. */
  get isOffline(): boolean {
    return this.status === 0;
  }
}

/** Problem of an answer's body, whatever it holds: a proxy in between answers in its own words. */
export function problemOf(status: number, body: unknown): Problem {
  if (!isRecord(body)) return new Problem(status, `the server answered with status ${status}`);
  const detail = typeof body.detail === "string" ? body.detail : `the server answered with status ${status}`;
  const errors = Array.isArray(body.errors) ? body.errors.flatMap(fieldProblem) : [];
  if (errors.length === 0 && typeof body.field === "string") {
    return new Problem(status, detail, [{ field: body.field, reason: reasonOf(detail, body.field) }]);
  }
  return new Problem(status, detail, errors);
}

/** Problem of a request that got no answer. */
export function offline(): Problem {
  return new Problem(0, "no answer from the server; the network may be down, or the server stopped");
}

/** The sentence to show for a failure of any kind. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(-1, error instanceof Error ? error.message : "something went wrong in the page itself");
}

/** Reasons by field name; the prefix under which a request nests its fields is taken off. */
export function reasonsByField(problem: Problem): Map<string, string> {
  return new Map(problem.fields.map(({ field, reason }) => [field.replace(/^parameters\./, ""), reason]));
}

/** "parameter top_n=0: Input should be..." → "Input should be...": beside its field the name is known. */
function reasonOf(detail: string, field: string): string {
  const reason = /^[^:]*: (.*)$/s.exec(detail)?.[1] ?? detail;
  return reason.startsWith(`${field}: `) ? reason.slice(field.length + 2) : reason;
}

function fieldProblem(item: unknown): FieldProblem[] {
  if (!isRecord(item) || typeof item.field !== "string" || typeof item.reason !== "string") return [];
  return [{ field: item.field, reason: item.reason }];
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
