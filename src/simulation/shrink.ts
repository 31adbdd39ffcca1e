import { methodOf, type Schedule, taskOf } from './schedule.ts';

type Part = 'faults' | 'commands' | 'delays';

/**
 * Takes away from a schedule whatever it does not need to fail: the most of its faults first, then of its commands, then
 * of its delays.
 *
 * @param fails whether a schedule fails in the same way
 */
export async function shrink(
  schedule: Schedule,
  fails: (schedule: Schedule) => Promise<boolean>,
): Promise<Schedule> {
  let least = schedule;
  for (const option of ['lateStore', 'seed'] as const) {
    if (least[option] === undefined) continue;
    const { [option]: _, ...fewer } = least;
    if (await fails(fewer)) least = fewer;
  }
  for (let before = Number.POSITIVE_INFINITY; sizeOf(least) < before; ) {
    before = sizeOf(least);
    for (const part of ['faults', 'commands', 'delays'] as const) least = await without(least, part, fails);
  }
  return least;
}

/**
 * Has a fault happen once, in place of each time, where that is enough.
 *
 * @param placesOf places of calls and bodies at which a schedule asks for faults
 */
export async function narrow(
  schedule: Schedule,
  fails: (schedule: Schedule) => Promise<boolean>,
  placesOf: (schedule: Schedule) => Promise<readonly string[]>,
): Promise<Schedule> {
  let least = schedule;
  for (const [lasting, fault] of Object.entries(schedule.faults)) {
    const { [lasting]: _, ...others } = least.faults;
    const places = await placesOf(least);
    const once = places.filter(
      (key) => key !== lasting && (key.includes(' ') ? methodOf(key) : taskOf(key)) === lasting,
    );
    for (const key of once) {
      const narrower = { ...least, faults: { ...others, [key]: fault } };
      if (!(await fails(narrower))) continue;
      least = narrower;
      break;
    }
  }
  return least;
}

/** Removes entries of one part: in halves, then in smaller pieces, then one by one. */
async function without(
  schedule: Schedule,
  part: Part,
  fails: (schedule: Schedule) => Promise<boolean>,
): Promise<Schedule> {
  let least = schedule;
  for (let piece = Object.keys(least[part]).length; piece >= 1; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < Object.keys(least[part]).length; ) {
      const entries = Object.entries(least[part]);
      const fewer = { ...least, [part]: Object.fromEntries(entries.toSpliced(at, piece)) } as Schedule;
      if (await fails(fewer)) least = fewer;
      else at += piece;
    }
  }
  return least;
}

function sizeOf({ faults, commands, delays }: Schedule): number {
  return Object.keys(faults).length + Object.keys(commands).length + Object.keys(delays).length;
}
