export { count, showCount, showDuration } from '../model/duration.ts';
