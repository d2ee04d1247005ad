// Tokens come in the fragment, which browsers send nowhere, from the page that frames us, or from people. They are kept
// for this tab only.
import { words } from './words.js';

const key = (page) => `feige.token.${page}`;

// fromAddress takes a token out of the address.
function fromAddress(page) {
  const hash = new URLSearchParams(location.hash.slice(1));
  const token = hash.get('token');
  if (token) {
    store(page, token);
    history.replaceState(null, '', location.pathname + location.search);
  }
}

function store(page, token) {
  try { sessionStorage.setItem(key(page), token); } catch { /* storage may be off; memory does */ }
  memory.set(page, token);
}

const memory = new Map();

export function forget(page) {
  memory.delete(page);
  try { sessionStorage.removeItem(key(page)); } catch { /* as above */ }
}

function known(page) {
  if (memory.has(page)) return memory.get(page);
  try { return sessionStorage.getItem(key(page)) || ''; } catch { return ''; }
}

// read is what a token says. It proves nothing: the relay looks at the signature.
export function read(token) {
  try {
    const text = atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0))));
  } catch {
    return null;
  }
}

// tokenFor returns a token of one of the roles, asking for one where there is none.
export async function tokenFor(page, roles, problem = '') {
  fromAddress(page);
  addEventListener('hashchange', () => { if (location.hash.includes('token=')) { fromAddress(page); location.reload(); } });
  for (;;) {
    const token = known(page);
    const claims = token && read(token);
    if (claims && roles.includes(claims.role) && claims.exp * 1000 > Date.now()) return { token, claims };
    if (token) problem = claims && !roles.includes(claims.role) ? words.wrongRole : words.badToken;
    forget(page);
    store(page, (await fromFrame()) || await ask(problem));
  }
}

// fromFrame asks the page that frames us, if there is one.
function fromFrame() {
  if (parent === window) return Promise.resolve('');
  return new Promise((resolve) => {
    const done = (token) => { removeEventListener('message', heard); resolve(token); };
    const heard = (m) => { if (m.source === parent && m.data && m.data.type === 'feige:token' && typeof m.data.token === 'string') done(m.data.token); };
    addEventListener('message', heard);
    parent.postMessage({ type: 'feige:need-token' }, '*'); // it holds nothing
    setTimeout(() => done(''), 5000);
  });
}

// ask shows the form.
function ask(problem) {
  const at = document.getElementById('sign-in');
  return new Promise((resolve) => {
    const form = document.createElement('form');
    form.className = 'sign-in';
    const title = document.createElement('h2');
    title.textContent = words.signInTitle;
    const text = document.createElement('p');
    text.textContent = words.signInText;
    const label = document.createElement('label');
    label.textContent = words.token;
    const input = document.createElement('textarea');
    input.required = true;
    input.rows = 4;
    input.spellcheck = false;
    input.autocomplete = 'off';
    label.append(input);
    const bad = document.createElement('p');
    bad.className = 'problem';
    bad.setAttribute('role', 'alert');
    bad.textContent = problem;
    const button = document.createElement('button');
    button.className = 'small primary';
    button.textContent = words.signIn;
    form.append(title, text, label, bad, button);
    form.onsubmit = (e) => {
      e.preventDefault();
      at.replaceChildren();
      resolve(input.value.trim());
    };
    at.replaceChildren(form);
    input.focus();
  });
}
