import { render } from 'preact';
import { FileBackend, readFile } from './backend/file.ts';
import { HttpBackend } from './backend/http.ts';
import './look/page.css';
import { formatAddress, runAddress } from './run/address.ts';
import { Router } from './state/router.ts';
import { App } from './view/app.tsx';

const here = new URL(location.href);
if (here.searchParams.has('token')) {
  // A link that is passed on should not carry it: the cookie has it now.
  here.searchParams.delete('token');
  history.replaceState(null, '', here);
}
const place = document.getElementById('app') as HTMLElement;
const file = await readFile(document).catch((error: unknown) => {
  place.textContent = `This file cannot be read: ${String(error)}`;
  throw error;
});
const backend = file === undefined ? new HttpBackend(here) : new FileBackend(file);
if (backend instanceof FileBackend && location.hash === '')
  history.replaceState(null, '', formatAddress(runAddress(backend.main)));
place.textContent = '';
render(<App backend={backend} router={new Router()} />, place);
