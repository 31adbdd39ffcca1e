// The one file that knows `@xstate/graph`.
export { getShortestPaths, getSimplePaths } from '@xstate/graph';
