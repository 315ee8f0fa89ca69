// Runs before the page is painted: the colours that were chosen here before are there from the first moment.
(() => {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem("stowage.theme");
  } catch {
    // A browser that keeps nothing for pages: the system's colours.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
