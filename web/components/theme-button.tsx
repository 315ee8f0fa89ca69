import { useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

const isDark = (): boolean => {
  const { theme } = document.documentElement.dataset;
  return theme === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
};

/** Changes between light and dark; what was chosen stays. */
export function ThemeButton() {
  const [dark, setDark] = useState(isDark);
  const change = () => {
    const theme = dark ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    setDark(!dark);
    try {
      localStorage.setItem("stowage.theme", theme);
    } catch {
      // For this page only.
    }
  };
  const label = dark ? "Use light colours" : "Use dark colours";
  return (
    <button type="button" class="button plain icon" onClick={change} aria-label={label} title={label}>
      <Icon name="theme" />
    </button>
  );
}
