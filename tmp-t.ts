import { Pty } from './test/support/pty.ts';
const p=new Pty(['run','/tmp/g.json'],{columns:Number(process.argv[2]??80)}); 
await p.until('attempt'); console.log(p.text); console.log('======');
console.log(await p.ended()); console.log(p.text); if(process.argv[3])console.log(JSON.stringify(p.raw)); p[Symbol.dispose]();
