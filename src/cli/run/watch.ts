import type { Io } from '../io.ts';
export async function watchFlow(_path: string, _input: string | undefined, _io: Io): Promise<number> {
  return 0;
}
