/** Dark or light: the system's, until a person chooses. */
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
system.addEventListener("change", tell);

function tell() {
  for (const listener of listeners) listener();
}

export function theme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
}

export function chooseTheme(chosen: Theme) {
  document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem("theme", chosen);
  } catch {
    // Storage can be forbidden; the choice then lasts as long as the page.
  }
  tell();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, theme);
}
