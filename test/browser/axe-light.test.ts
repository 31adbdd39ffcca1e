import { testScheme } from './places.ts';

testScheme('light');
