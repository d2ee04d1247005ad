// The console: who looks, which page, what is chosen, and the stream that fills it.
import { $, h, icon } from './dom.js';
import { w, say, word, known, lang, stored, store, clock, duration } from './words.js';
import { Table } from './table.js';
import { Figure, Bars, Series } from './chart.js';

let me = null; // what /api/start says
let page = null;
let chosen = {}; // what the stream has chosen where nothing was
let panels = new Map();
let stream = null;
let periods = [];

async function call(path, options) {
  let answer;
  try {
    answer = await fetch(`/console/api/${path}`, { credentials: 'same-origin', ...options });
  } catch {
    throw { code: 'unreachable' };
  }
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({ code: 'unreachable' }));
  if (!answer.ok) throw body;
  return body;
}

// ---- who looks

async function begin() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (fragment.get('token')) { // a link that signs in; fragments are sent nowhere
    history.replaceState(null, '', location.pathname + location.search);
    try {
      await call('session', { method: 'POST', body: JSON.stringify({ token: fragment.get('token') }) });
    } catch (problem) {
      return askWho(problem);
    }
  }
  try {
    me = await call('start');
  } catch (problem) {
    return askWho(problem.code === 'unauthorized' ? null : problem);
  }
  known.words = me.words;
  known.verdicts = me.verdicts;
  known.timeZone = me.timeZone;
  $('sign-in').replaceChildren();
  $('app').hidden = false;
  frame();
  open();
}

function askWho(problem) {
  stream?.close();
  $('app').hidden = true;
  const token = h('textarea', { rows: '4', id: 'token', name: 'token', autocomplete: 'off', spellcheck: 'false', required: true, 'aria-describedby': 'sign-problem' });
  const complaint = h('p', { class: 'problem', id: 'sign-problem', role: 'alert' });
  const tell = (p) => { complaint.textContent = !p ? '' : p.code === 'unreachable' ? w.unreachable : p.code === 'forbidden' ? w.forbidden(p.detail?.match(/role (\S+)/)?.[1] || '') : w.signInFailed; };
  tell(problem);
  const submit = async (e) => {
    e.preventDefault();
    try {
      await call('session', { method: 'POST', body: JSON.stringify({ token: token.value.trim() }) });
    } catch (p) {
      return tell(p);
    }
    begin();
  };
  document.title = `${w.signInTitle} · ${w.product}`;
  $('sign-in').replaceChildren(h('form', { class: 'sign-in', onsubmit: submit }, h('img', { src: '/console/icon.svg', alt: '', width: '44', height: '44' }), h('h1', {}, w.signInTitle), h('p', {}, w.signInHint),
    h('label', { for: 'token' }, w.token), token, complaint, h('button', { class: 'primary' }, w.signIn)));
  token.focus();
}

async function signOut() {
  try { await call('session', { method: 'DELETE' }); } catch { /* the cookie ends by itself */ }
  me = null;
  askWho(null);
}

// ---- the frame

function frame() {
  $('skip').textContent = w.skip;
  $('brand').textContent = w.product;
  $('side').setAttribute('aria-label', w.nav);
  $('nav').replaceChildren(...me.pages.filter((p) => !p.hidden).map((p) => h('li', {}, h('a', { href: `/console/${p.name}`, 'data-page': p.name, onclick: go }, icon(p.name), h('span', {}, say(p.title))))));
  const theme = () => {
    const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    document.documentElement.dataset.theme = dark ? 'light' : 'dark';
    store('feige.theme', document.documentElement.dataset.theme);
    dispatchEvent(new Event('feige-theme'));
  };
  const language = () => {
    store('feige.lang', lang === 'zh' ? 'en' : 'zh');
    const here = new URL(location.href);
    here.searchParams.delete('lang');
    location.replace(here);
  };
  $('extra').replaceChildren(
    ...(['reviewer', 'auditor'].includes(me.role) ? [h('li', {}, h('a', { href: '/review' }, icon('review'), h('span', {}, w.review)))] : []),
    h('li', {}, h('button', { type: 'button', onclick: theme, title: w.theme, 'aria-label': w.theme }, icon('theme'), h('span', {}, w.theme))),
    h('li', {}, h('button', { type: 'button', id: 'language', onclick: language, title: w.language, lang: lang === 'zh' ? 'en' : 'zh' }, icon('language'), h('span', {}, w.other))),
    h('li', {}, h('button', { type: 'button', onclick: signOut, title: w.signOut }, icon('out'), h('span', {}, w.signOut))),
    h('li', { class: 'who' }, me.account, h('small', {}, `${w.roles[me.role] || me.role}${me.shop ? ` · ${me.shop}` : ''}`)));
  document.querySelector('.brand').addEventListener('click', go);
}

// ---- pages

const params = () => new URLSearchParams(location.search);

function go(e) {
  const a = e.currentTarget;
  if (e.metaKey || e.ctrlKey || e.shiftKey || e.button) return;
  e.preventDefault();
  const to = new URL(a.href);
  for (const keep of ['period', 'shop']) { // a choice goes along from page to page
    if (!to.searchParams.has(keep) && params().get(keep)) to.searchParams.set(keep, params().get(keep));
  }
  history.pushState(null, '', to);
  open();
  $('main').focus({ preventScroll: true });
  scrollTo(0, 0);
}

addEventListener('popstate', () => me && open());

function choose(name, value) {
  const to = new URL(location.href);
  if (value) to.searchParams.set(name, value);
  else to.searchParams.delete(name);
  if (name === 'shop') to.searchParams.delete('agent');
  history.pushState(null, '', to);
  open();
}

function open() {
  stream?.close();
  const name = location.pathname.replace(/^\/console\/?/, '') || me.pages[0].name;
  page = me.pages.find((p) => p.name === name) || me.pages[0];
  chosen = {};
  document.title = `${say(page.title)} · ${w.product}`;
  $('title').textContent = say(page.title);
  $('about').textContent = say(page.about);
  for (const a of document.querySelectorAll('[data-page]')) {
    if (a.dataset.page === page.name) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
  $('notice').hidden = true;
  $('progress').hidden = true;
  choices();
  panels = new Map();
  const shop = me.shop || params().get('shop');
  if ((page.name === 'shop' || page.name === 'conversation') && !shop) return lacking(w.chooseShop, w.chooseShopHint);
  if (page.name === 'conversation' && !params().get('conversation')) return lacking(w.conversation, w.chooseConversation);
  const cards = h('div', { class: 'cards' });
  const grid = h('div', { class: 'grid' });
  for (const p of page.panels) (p.wide ? grid : cards).append(build(p));
  $('main').replaceChildren(...(cards.children.length ? [cards] : []), grid);
  follow();
}

function lacking(title, hint) {
  state('', '');
  $('main').replaceChildren(h('div', { class: 'lacking' }, icon('find'), h('h2', {}, title), h('p', {}, hint)));
  document.querySelector('#choices input')?.focus();
}

function build(p) {
  const view = p.shape === 'figure' ? new Figure(p) : p.shape === 'bars' ? new Bars(p) : p.shape === 'series' ? new Series(p) : new Table(p, go, page.name === 'shop' || me.shop !== undefined);
  const problem = h('p', { class: 'fault', hidden: true });
  const id = `panel-${p.id.replace('.', '-')}`;
  const box = h('section', { class: `panel ${p.shape} waiting`, id, 'aria-labelledby': `${id}-title`, 'aria-busy': 'true' },
    h('header', {}, h('div', {}, h('h2', { id: `${id}-title` }, say(p.title)), h('p', { class: 'about' }, say(p.about))), view.tools), problem, view.element);
  if (p.wide) box.dataset.wide = p.wide;
  panels.set(p.id, { view, box, problem });
  return box;
}

// ---- choices

function choices() {
  const uses = new Set(page.uses);
  const fields = [];
  const field = (label, control) => fields.push(h('label', {}, h('span', {}, label), control));
  if (uses.has('period')) {
    const select = h('select', { name: 'period', id: 'period', onchange: () => choose('period', select.value) });
    field(w.period, select);
  }
  if (uses.has('shop') && !me.shop) fields.push(typed('shop', w.shop, page.name === 'shop' || page.name === 'conversation' ? '' : w.allShops));
  if (uses.has('agent')) fields.push(typed('agent', w.agent, w.allAgents));
  if (uses.has('category')) {
    const select = h('select', { name: 'category', onchange: () => choose('category', select.value) }, h('option', { value: '' }, w.allCategories));
    field(w.category, select);
    call('list/category').then((l) => {
      select.append(...l.choices.map((c) => h('option', { value: c }, word(c))));
      select.value = params().get('category') || '';
    }).catch(() => { /* the rest can be chosen still */ });
  }
  if (uses.has('conversation')) {
    const input = h('input', { name: 'conversation', value: params().get('conversation') || '', onchange: () => choose('conversation', input.value.trim()) });
    field(w.conversation, input);
  }
  if (uses.has('span')) {
    const select = h('select', { name: 'span', onchange: () => choose('span', select.value) }, ...[...me.spans, ...(uses.has('period') ? ['period'] : [])].map((each) => h('option', { value: each }, w.spans[each] || each)));
    select.value = params().get('span') || page.span;
    field(w.span, select);
  }
  $('choices').replaceChildren(...fields);
  $('choices').onsubmit = (e) => e.preventDefault();
  drawPeriods();
}

// typed is a choice of very many: typed, with proposals.
function typed(name, label, all) {
  const id = `proposals-${name}`;
  const list = h('datalist', { id });
  const input = h('input', { name, list: id, value: params().get(name) || '', placeholder: all, autocomplete: 'off', spellcheck: 'false', maxlength: '128' });
  let last = '';
  let timer = 0;
  const propose = async () => {
    const asked = input.value;
    try {
      const query = new URLSearchParams({ q: asked });
      if (params().get('shop')) query.set('shop', params().get('shop'));
      const answer = await call(`list/${name}?${query}`);
      if (asked === input.value) list.replaceChildren(...answer.choices.map((c) => h('option', { value: c })));
      return answer.choices;
    } catch {
      return [];
    }
  };
  input.addEventListener('focus', propose, { once: true });
  input.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(propose, 150); });
  input.addEventListener('change', () => {
    const value = input.value.trim();
    if (value !== last) { last = value; choose(name, value); }
  });
  last = input.value;
  return h('label', {}, h('span', {}, label), input, list);
}

function drawPeriods() {
  const select = $('period');
  if (!select) return;
  const now = params().get('period') || '';
  const names = now && !periods.includes(now) ? [now, ...periods] : periods;
  select.replaceChildren(h('option', { value: '' }, chosen.period && !now ? `${chosen.period} (${w.newest})` : w.newest), ...names.map((p) => h('option', { value: p }, p)));
  select.value = now;
}

// ---- the stream

function state(kind, text) {
  $('state').dataset.kind = kind;
  $('state').textContent = text;
}

function follow() {
  const query = new URLSearchParams({ page: page.name });
  for (const name of ['period', 'shop', 'agent', 'category', 'span', 'conversation']) if (params().get(name)) query.set(name, params().get(name));
  state('connecting', w.connecting);
  const mine = new EventSource(`/console/api/stream?${query}`);
  stream = mine;
  const on = (name, then) => mine.addEventListener(name, (e) => stream === mine && then(JSON.parse(e.data)));
  on('chosen', (c) => { chosen = c; drawPeriods(); progress(); });
  on('panel', fill);
  on('at', (us) => { state('live', w.live(clock(us))); $('notice').hidden = true; });
  on('away', () => { $('notice').textContent = w.away; $('notice').hidden = false; state('broken', ''); });
  on('signout', () => { mine.close(); askWho(null); });
  mine.onerror = async () => {
    if (stream !== mine) return;
    state('broken', w.broken);
    if (mine.readyState !== EventSource.CLOSED) return; // it tries again by itself
    try {
      await call('start');
    } catch (problem) {
      if (problem.code === 'unauthorized' || problem.code === 'forbidden') return askWho(problem.code === 'forbidden' ? problem : null);
    }
    setTimeout(() => stream === mine && follow(), 2000);
  };
}

function fill(data) {
  if (data.id === 'list.period') {
    const before = periods[0];
    if (data.rows) periods = data.rows.map((r) => r[0]);
    drawPeriods();
    // The first period of all has begun, or another one has: who did not choose one goes on with it.
    const begun = chosen.period === '' ? periods.length > 0 : before !== undefined && periods[0] !== before;
    if (begun && page.uses.includes('period') && !params().get('period')) {
      stream.close();
      follow();
    }
    return;
  }
  const p = panels.get(data.id);
  if (!p) return;
  p.box.classList.remove('waiting');
  p.box.setAttribute('aria-busy', 'false');
  p.problem.hidden = !data.error;
  p.problem.textContent = data.error ? (data.error === 'slow' ? w.slow : w.failed) : '';
  p.box.classList.toggle('stale', Boolean(data.error));
  if (data.error) return;
  p.view.update(data);
  p.box.dataset.at = data.atUs;
}

// progress says how much of a period is over.
function progress() {
  const match = /^(\d{4})-(\d{2})-H([12])$/.exec(chosen.period || '');
  $('progress').hidden = !match || !page.uses.includes('period');
  if ($('progress').hidden) return;
  const [year, month, half] = [+match[1], +match[2], +match[3]];
  const days = half === 1 ? 15 : new Date(Date.UTC(year, month, 0)).getUTCDate() - 15;
  // Days are counted in the policy's time zone.
  const today = exactDay(Date.now());
  const first = Date.UTC(year, month - 1, half === 1 ? 1 : 16);
  const n = Math.floor((today - first) / 86400e3) + 1;
  const bar = h('span', { class: 'done' });
  bar.style.width = `${Math.max(0, Math.min(100, 100 * n / days))}%`;
  const left = (first + days * 86400e3 - today) / 1000;
  $('progress').replaceChildren(h('span', { class: 'bar', 'aria-hidden': 'true' }, bar), h('span', {}, n < 1 ? w.begins : n > days ? `${chosen.period} · ${w.over}` : `${chosen.period} · ${w.day(n, days)} · ${w.left(duration(left))}`));
}

function exactDay(ms) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat('en-CA', { timeZone: known.timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(new Date(ms)).map((p) => [p.type, p.value]));
  return Date.UTC(+parts.year, +parts.month - 1, +parts.day);
}

begin();
