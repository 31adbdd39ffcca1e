import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Backend } from '../backend/backend.ts';
import type { Router } from '../state/router.ts';
import { type Surroundings, SurroundingsContext } from './context.ts';
import { isTyping, useKeys, useRefresh } from './hooks.ts';
import { onDemand } from './on-demand.tsx';
import { RunPage } from './run-page.tsx';
import { RunsPage } from './runs-page.tsx';
import { TopBar } from './top-bar.tsx';

const ComparePage = onDemand(async () => (await import('./compare-page.tsx')).ComparePage);
const GridPage = onDemand(async () => (await import('./grid-page.tsx')).GridPage);

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
      <Keys />
      <p class="said" aria-live="polite" ref={said} />
    </SurroundingsContext.Provider>
  );
}

const KeysHelp = onDemand(async () => (await import('./keys-help.tsx')).KeysHelp);

/** The list of keys, which `?` opens. */
function Keys() {
  const [isOpen, setOpen] = useState(false);
  useKeys((event) => {
    if (event.key === '?' && !isTyping(event)) setOpen(true);
  });
  return isOpen ? <KeysHelp onEnd={() => setOpen(false)} /> : null;
}
