import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Backend } from '../backend/backend.ts';
import type { Router } from '../state/router.ts';
import { ComparePage } from './compare-page.tsx';
import { type Surroundings, SurroundingsContext } from './context.ts';
import { GridPage } from './grid-page.tsx';
import { useRefresh } from './hooks.ts';
import { KeysHelp } from './keys-help.tsx';
import { RunPage } from './run-page.tsx';
import { RunsPage } from './runs-page.tsx';
import { TopBar } from './top-bar.tsx';

/** The whole page. */
export function App({ backend, router }: { readonly backend: Backend; readonly router: Router }) {
  const refresh = useRefresh();
  const said = useRef<HTMLParagraphElement>(null);
  const [problem, setProblem] = useState<string>();
  useLayoutEffect(() => router.subscribe(refresh), [router]);
  useEffect(() => {
    backend
      .hello()
      .catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)));
  }, [backend]);
  const surroundings = useMemo((): Surroundings => {
    return {
      backend,
      router,
      announce: (text) => {
        if (said.current !== null) said.current.textContent = text;
      },
    };
  }, [backend, router]);
  const { address } = router;
  return (
    <SurroundingsContext.Provider value={surroundings}>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <TopBar />
      {problem !== undefined && <p class="banner bad">The inspector does not answer: {problem}</p>}
      <main id="main" tabIndex={-1}>
        {address.page === 'runs' && <RunsPage address={address} />}
        {address.page === 'grid' && <GridPage address={address} />}
        {address.page === 'run' && <RunPage key={`${address.source} ${address.id}`} address={address} />}
        {address.page === 'compare' && <ComparePage address={address} />}
      </main>
      <KeysHelp />
      <p class="said" aria-live="polite" ref={said} />
    </SurroundingsContext.Provider>
  );
}
