import { testScheme } from './places.ts';

testScheme('dark');
