import type { Picture, PictureTask } from './picture.ts';

/** Draws each flow that a task runs inside that task, at any depth; a flow that several tasks run is drawn in each. */
export function expand(picture: Picture, flows: Picture['flows'] = picture.flows): Picture {
  const tasks = picture.tasks.map((task): PictureTask => {
    const inner = flows.get(task.child?.flow ?? '');
    return inner === undefined || task.child === undefined ? task : { ...task, inner: expand(inner, flows) };
  });
  return { ...picture, tasks };
}

/** The number of tasks that a picture has once it is expanded. */
export function expandedSize({ tasks, flows }: Picture): number {
  const sizes = new Map<string, number>();
  const sizeOf = (own: Picture['tasks']): number =>
    own.reduce((sum, { child }) => sum + 1 + (child?.flow === undefined ? 0 : below(child.flow)), 0);
  const below = (name: string): number => {
    const size = sizes.get(name) ?? sizeOf(flows.get(name)?.tasks ?? []);
    sizes.set(name, size);
    return size;
  };
  return sizeOf(tasks);
}
