import { firstAddress, formatAddress, runAddress } from '../run/address.ts';
import { useSurroundings } from './context.ts';

/** The name of the page, and the way to where one is. */
export function TopBar() {
  const { backend, router } = useSurroundings();
  const { address } = router;
  return (
    <header class="top">
      <a class="brand" href={formatAddress(firstAddress)}>
        <svg viewBox="0 0 22 16" width="22" height="16" aria-hidden="true">
          <rect x="1" y="1" width="4" height="14" rx="1.2" />
          <rect x="8" y="1" width="4" height="14" rx="1.2" transform="rotate(14 10 15)" />
          <rect x="14" y="1" width="4" height="14" rx="1.2" transform="rotate(34 16 15)" />
        </svg>
        topple
      </a>
      <nav aria-label="Where you are">
        <a href={formatAddress(firstAddress)} aria-current={address.page === 'runs' ? 'page' : undefined}>
          Runs
        </a>
        {address.page === 'grid' && (
          <span aria-current="page">
            <i aria-hidden="true">/</i>
            {address.flow}
          </span>
        )}
        {address.page === 'run' && (
          <span aria-current="page">
            {address.id.split('/').map((segment, index, segments) => (
              <span key={index} class="mono">
                <i aria-hidden="true">/</i>
                {index === segments.length - 1 ? (
                  segment
                ) : (
                  <a
                    href={formatAddress(
                      runAddress({ ...address, id: segments.slice(0, index + 1).join('/') }),
                    )}
                  >
                    {segment}
                  </a>
                )}
              </span>
            ))}
          </span>
        )}
        {address.page === 'compare' && (
          <span aria-current="page">
            {address.runs.map((run, index) => (
              <span key={`${index}`}>
                <i aria-hidden="true">{index === 0 ? '/' : '↔'}</i>
                <a class="mono" href={formatAddress(runAddress(run))}>
                  {run.id}
                </a>
              </span>
            ))}
          </span>
        )}
      </nav>
      {backend.isFile && <span class="badge">recording in a file</span>}
      <button
        type="button"
        class="quiet"
        onClick={() => (document.getElementById('keys') as HTMLDialogElement | null)?.showModal()}
      >
        Keys <kbd>?</kbd>
      </button>
    </header>
  );
}
