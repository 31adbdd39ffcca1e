export {
  createStatelyInspect,
  type StatelyInspect,
  type StatelyInspectOptions,
  type StatelyTally,
} from './stately.ts';
