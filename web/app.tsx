import { ErrorBoundary, lazy, LocationProvider, Route, Router } from "preact-iso";
import { Header } from "./components/header.tsx";
import { SessionNotice } from "./components/session-notice.tsx";
import { NotFoundPage } from "./pages/not-found.tsx";
import { RepositoriesPage } from "./pages/repositories.tsx";
import { SessionProvider } from "./session.tsx";

// The first page comes with the script; each other one when it is gone to.
const ReferencePage = lazy(async () => (await import("./pages/reference.tsx")).ReferencePage);
const ComparePage = lazy(async () => (await import("./pages/compare.tsx")).ComparePage);
const LoginPage = lazy(async () => (await import("./pages/login.tsx")).LoginPage);
const OperatePage = lazy(async () => (await import("./pages/operate.tsx")).OperatePage);

/** The whole page, and every address of it. */
export function App() {
  return (
    <LocationProvider>
      <SessionProvider>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <Header />
        <main id="main" tabIndex={-1}>
          <SessionNotice />
          <ErrorBoundary>
            <Router onRouteChange={scrollToTop}>
              <Route path="/" component={RepositoriesPage} />
              <Route path="/r/:address+" component={ReferencePage} />
              <Route path="/compare" component={ComparePage} />
              <Route path="/login" component={LoginPage} />
              <Route path="/operate/:view?" component={OperatePage} />
              <Route default component={NotFoundPage} />
            </Router>
          </ErrorBoundary>
        </main>
      </SessionProvider>
    </LocationProvider>
  );
}

function scrollToTop(): void {
  if (location.hash === "") scrollTo(0, 0);
}
