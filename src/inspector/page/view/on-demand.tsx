import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Note } from './marks.tsx';

/**
 * A component that is loaded when it is first shown, so that the page opens with less. In an exported file, which is one
 * script, it is there at once.
 */
export function onDemand<Props extends object>(
  load: () => Promise<FunctionComponent<Props>>,
): FunctionComponent<Props> {
  let Loaded: FunctionComponent<Props> | undefined;
  return (props) => {
    const [state, setState] = useState('');
    useEffect(() => {
      if (Loaded !== undefined) return;
      load().then(
        (component) => {
          Loaded = component;
          setState('loaded');
        },
        (error: unknown) => setState(`This part could not be loaded: ${error}`),
      );
    }, []);
    if (Loaded !== undefined) return <Loaded {...props} />;
    return state === '' ? null : <Note kind="bad">{state}</Note>;
  };
}
