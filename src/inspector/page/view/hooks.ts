import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { RunKey } from '../../protocol.ts';
import type { Size } from '../graph/camera.ts';
import { type Theme, themeNow, watchTheme } from '../look/theme.ts';
import { Session } from '../state/session.ts';
import { useSurroundings } from './context.ts';

/** Renders again, at most once a frame. */
export function useRefresh(): () => void {
  const [, refresh] = useReducer((count: number) => count + 1, 0);
  const frame = useRef(0);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  return useMemo(() => {
    return () => {
      if (frame.current !== 0) return;
      frame.current = requestAnimationFrame(() => {
        frame.current = 0;
        refresh(undefined);
      });
    };
  }, []);
}

/** Looks at a run, for as long as it is shown. */
export function useSession({ source, id }: RunKey): Session {
  const { backend } = useSurroundings();
  const refresh = useRefresh();
  const session = useMemo(() => new Session(backend, { source, id }, refresh), [backend, source, id]);
  useEffect(() => () => session.close(), [session]);
  return session;
}

/** Looks at several runs, each for as long as it is wanted. */
export function useSessions(source: string, ids: readonly string[]): ReadonlyMap<string, Session> {
  const { backend } = useSurroundings();
  const refresh = useRefresh();
  const { current } = useRef(new Map<string, Session>());
  for (const [id, session] of current) {
    if (ids.includes(id)) continue;
    session.close();
    current.delete(id);
  }
  for (const id of ids) if (!current.has(id)) current.set(id, new Session(backend, { source, id }, refresh));
  useEffect(() => {
    return () => {
      for (const session of current.values()) session.close();
      current.clear();
    };
  }, [backend, source]);
  return current;
}

/** Renders again every so often while `isOn`, for times that count. */
export function useTicks(isOn: boolean, everyMs: number): void {
  const refresh = useRefresh();
  useEffect(() => {
    if (!isOn) return;
    const timer = setInterval(refresh, everyMs);
    return () => clearInterval(timer);
  }, [isOn, everyMs]);
}

/** Hears every key of the page, from the moment at which the component is shown. */
export function useKeys(listen: (event: KeyboardEvent) => void): void {
  const latest = useRef(listen);
  latest.current = listen;
  // Before the browser paints: who sees a page may press a key.
  useLayoutEffect(() => {
    const hear = (event: KeyboardEvent): void => latest.current(event);
    addEventListener('keydown', hear);
    return () => removeEventListener('keydown', hear);
  }, []);
}

/** Whether a key belongs to a field that is typed in, or to a dialog. */
export function isTyping({ target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  if (ctrlKey || metaKey || altKey) return true;
  return (
    target instanceof Element && target.closest('input, textarea, select, dialog, [contenteditable]') !== null
  );
}

/** The size of an element, which gets the `ref`. */
export function useSize<Kind extends HTMLElement>(): [{ current: Kind | null }, Size] {
  const ref = useRef<Kind>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, size];
}

/** The colours for canvases, which follow the user's choice of light or dark. */
export function useTheme(): Theme {
  const [theme, setTheme] = useState(themeNow);
  useEffect(() => watchTheme(() => setTheme(themeNow())), []);
  return theme;
}

/** The result of a request, which is made again when its key changes. */
export function useRequest<Value>(
  key: string,
  ask: () => Promise<Value>,
): { readonly value?: Value; readonly problem?: string; readonly again: () => void } {
  const [state, setState] = useState<{ key: string; value?: Value; problem?: string }>({ key });
  const [round, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let isOver = false;
    ask().then(
      (value) => isOver || setState({ key, value }),
      (error: unknown) =>
        isOver || setState({ key, problem: error instanceof Error ? error.message : String(error) }),
    );
    return () => {
      isOver = true;
    };
  }, [key, round]);
  const { value, problem } = state;
  return {
    ...(value === undefined ? {} : { value }),
    ...(problem === undefined ? {} : { problem }),
    again: () => again(undefined),
  };
}
