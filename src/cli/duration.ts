export { showCount, showDuration } from '../model/duration.ts';
