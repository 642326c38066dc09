export interface SortOrder<Key> {
  by: Key;
  isDescending: boolean;
}

/** Rows in order of one column; rows that are equal in it keep their order. */
export function sorted<Row extends object>(rows: readonly Row[], { by, isDescending }: SortOrder<keyof Row>): Row[] {
  const way = isDescending ? -1 : 1;
  return rows.toSorted((a, b) => (a[by] < b[by] ? -way : a[by] > b[by] ? way : 0));
}
