import type { ComponentProps } from "react";
import { Link as RouterLink } from "react-router";

import { useCarried } from "../frame/address";

/** A link inside the page: it keeps the universe and the moment that the header sets. */
export function Link({ to, ...rest }: Omit<ComponentProps<typeof RouterLink>, "to"> & { to: string }) {
  return <RouterLink to={useCarried()(to)} {...rest} />;
}
