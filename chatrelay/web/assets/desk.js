// The agents' workbench.
import { Connection } from './connection.js';
import { avatar, composer, connectionNotice, standing, typingLine, View } from './messages.js';
import { forget, tokenFor } from './tokens.js';
import { errorText, label, languageLink, timeOf, words } from './words.js';

const $ = (id) => document.getElementById(id);
label();
languageLink($('language'));
document.title = words.desk;
$('text').placeholder = words.deskPlaceholder;
$('text').setAttribute('aria-label', words.deskPlaceholder);
$('filter').placeholder = words.filter;
$('filter').setAttribute('aria-label', words.filter);
$('inbox').setAttribute('aria-label', words.inbox);
for (const [id, word] of [['send', words.send], ['attach', words.attach], ['quick-button', words.quick], ['back', words.back]]) { $(id).setAttribute('aria-label', word); $(id).title = word; }

const el = (tag, className, text) => {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
};

const items = new Map();
const rows = new Map();
const views = new Map(); // of conversations that were opened
const agents = new Map(); // account: state
let connection, account, token, current = '', quick = [], drift = 0;

const nowUs = () => Date.now() * 1000 + drift;

async function start() {
  const signed = await tokenFor('desk', ['agent', 'manager']);
  account = signed.claims.sub;
  token = async () => signed.token;
  $('panes').hidden = false;
  $('state-label').hidden = false;
  $('title').textContent = `${words.desk} · ${signed.claims.shop}`;
  $('status').textContent = words.connecting;
  connection = new Connection({ client: 'workbench-web', token });
  connectionNotice(connection, $('connection'), (frame) => {
    if (frame.code === 'unauthorized') { forget('desk'); setTimeout(() => location.reload(), 1500); }
  });
  connection.addEventListener('state', ({ detail }) => {
    $('status').textContent = detail.state === 'open' ? words.agentName(account) : words.connecting;
    document.body.dataset.state = detail.state;
  });
  connection.addEventListener('welcome', ({ detail: f }) => {
    drift = f.nowUs - Date.now() * 1000;
    quick = f.quickReplies || [];
    receive(f.reception);
    sanctioned(f.sanction);
    if ($('state').value !== 'online') connection.request({ type: 'presence', state: $('state').value }).catch(() => {});
  });
  connection.addEventListener('gap', () => { views.clear(); if (current) open(current); });
  connection.addEventListener('inbox', ({ detail: f }) => {
    items.clear();
    for (const item of f.items || []) items.set(item.conversationId, item);
    draw();
  });
  connection.addEventListener('inboxItem', ({ detail: f }) => {
    if (f.item.gone && f.item.conversationId !== current) items.delete(f.item.conversationId);
    else items.set(f.item.conversationId, f.item);
    draw();
  });
  connection.addEventListener('event', ({ detail: { event } }) => {
    const view = views.get(event.conversationId);
    if (view) view.add(event);
    if (event.conversationId === current) { types(false); view.seen(); }
  });
  connection.addEventListener('reception', ({ detail: f }) => receive(f.reception));
  connection.addEventListener('sanction', ({ detail: f }) => sanctioned(f.sanction));
  connection.addEventListener('shield', ({ detail: f }) => { const v = views.get(f.conversationId); if (v) v.shield(f.eventId, Boolean(f.on)); });
  connection.addEventListener('typing', ({ detail: f }) => { if (f.conversationId === current) types(Boolean(f.on)); });
  connection.addEventListener('presence', ({ detail: f }) => {
    if (f.accountId === account) return;
    if (f.state === 'offline') agents.delete(f.accountId); else agents.set(f.accountId, f.state);
  });
  setInterval(tick, 1000);
}

const types = typingLine($('typing'));

// receive shows who receives, and how far the count is.
function receive(r) {
  if (!r) return;
  const bot = r.mode === 'bot';
  $('reception').hidden = !bot;
  $('reception-text').textContent = bot ? words.deskBotNotice(r.limit) : '';
  $('meter').hidden = false;
  const text = words.unreplied(Math.min(r.unreplied || 0, r.limit + 1), r.limit);
  $('meter-text').textContent = text;
  $('meter').setAttribute('aria-label', text);
  const part = Math.min(1, (r.unreplied || 0) / (r.limit + 1));
  $('meter-fill').dataset.tenths = String(Math.round(part * 10));
  $('meter').dataset.level = bot || part >= 1 ? 'bad' : part >= 0.6 ? 'warn' : 'good';
}

function sanctioned(s) {
  const text = standing(s, 'shop');
  $('sanction').textContent = text;
  $('sanction').hidden = !text;
}

// order: who waits longest first, then the newest.
function ordered() {
  const wanted = $('filter').value.trim().toLowerCase();
  return [...items.values()].filter((i) => !wanted || (i.consumerId || i.conversationId).toLowerCase().includes(wanted)).sort((a, b) => {
    const x = a.waitingSinceUs || Infinity, y = b.waitingSinceUs || Infinity;
    return x !== y ? x - y : b.lastAtUs - a.lastAtUs;
  });
}

function draw() {
  const list = ordered();
  const at = $('items');
  for (const [id, row] of rows) if (!list.some((i) => i.conversationId === id)) { row.remove(); rows.delete(id); }
  list.forEach((item, n) => {
    let row = rows.get(item.conversationId);
    if (!row) {
      row = itemRow(item);
      rows.set(item.conversationId, row);
    }
    fillRow(row, item);
    if (at.children[n] !== row) at.insertBefore(row, at.children[n] || null);
  });
  const waiting = [...items.values()].filter((i) => i.waitingSinceUs).length;
  $('inbox-count').textContent = waiting ? String(waiting) : '';
  document.title = waiting ? `(${waiting}) ${words.desk}` : words.desk;
  $('inbox-empty').hidden = list.length > 0;
  $('inbox-empty').textContent = items.size ? words.noMatch : words.emptyInbox;
  tick();
  if (current) head();
}

function itemRow(item) {
  const li = el('li');
  const button = el('button', 'item');
  button.type = 'button';
  button.dataset.conversation = item.conversationId;
  const face = el('span', 'avatar');
  face.setAttribute('aria-hidden', 'true');
  avatar(face, item.consumerId || item.conversationId);
  const middle = el('span', 'item-middle');
  middle.append(el('span', 'item-name', item.consumerId || item.conversationId), el('span', 'item-text'), el('span', 'item-who'));
  const right = el('span', 'item-right');
  right.append(el('span', 'item-time'), el('span', 'badge'));
  button.append(face, middle, right);
  button.onclick = () => open(item.conversationId, true);
  li.append(button);
  return li;
}

function fillRow(row, item) {
  const q = (c) => row.querySelector(c);
  q('.item-text').textContent = `${item.lastRole === 'ROLE_BOT' ? `[${words.bot}] ` : ''}${item.lastText || ''}`;
  q('.item-who').textContent = item.blocked ? words.blockedItem : item.closed ? words.closedItem : item.agentId === account ? words.mine : item.agentId ? words.assignedTo(item.agentId) : words.nobody;
  q('.item-who').className = `item-who${item.agentId === account ? ' mine' : ''}`;
  q('.badge').textContent = item.unreplied ? String(item.unreplied) : '';
  q('.item').classList.toggle('current', item.conversationId === current);
  q('.item').setAttribute('aria-current', String(item.conversationId === current));
}

const span = (us) => {
  const s = Math.floor(Math.abs(us) / 1e6);
  const h = Math.floor(s / 3600);
  return `${h ? `${h}:` : ''}${String(Math.floor(s / 60) % 60).padStart(h ? 2 : 1, '0')}:${String(s % 60).padStart(2, '0')}`;
};

// tick moves the countdowns on.
function tick() {
  const now = nowUs();
  for (const [id, row] of rows) {
    const item = items.get(id);
    if (!item) continue;
    const at = row.querySelector('.item-time');
    if (!item.waitingSinceUs || !item.dueUs) {
      at.textContent = item.lastAtUs ? timeOf(item.lastAtUs) : '';
      at.dataset.level = '';
      continue;
    }
    const left = item.dueUs - now;
    at.textContent = left >= 0 ? words.waiting(span(left)) : words.overdue(span(left));
    at.dataset.level = left < 0 ? 'bad' : left < 60e6 ? 'warn' : 'good';
  }
}

// open shows a conversation.
function open(id, focus = false) {
  current = id;
  document.body.classList.add('talking');
  $('talk-empty').hidden = true;
  $('conversation').hidden = false;
  let view = views.get(id);
  if (!view) {
    view = new View({ log: el('div'), connection, conversation: id, side: 'shop', account, token, pages: false });
    views.set(id, view);
    view.history().then(() => view.seen());
  }
  const shown = view.log;
  shown.className = 'log';
  shown.id = 'log';
  shown.tabIndex = 0;
  shown.setAttribute('role', 'log');
  shown.setAttribute('aria-live', 'polite');
  shown.setAttribute('aria-label', id);
  shown.onscroll = () => { if (shown.scrollTop < 40 && !view.older.hidden) view.history(); };
  const old = document.getElementById('log');
  if (old !== shown) old.replaceWith(shown);
  view.toEnd();
  view.seen();
  types(false);
  draw();
  if (focus) $('text').focus();
}

// head shows whose the conversation is and what may be done.
function head() {
  const item = items.get(current) || { conversationId: current };
  const name = item.consumerId || item.conversationId;
  $('consumer').textContent = name;
  avatar($('consumer-avatar'), name);
  $('assignment').textContent = item.agentId === account ? words.mine : item.agentId ? words.assignedTo(item.agentId) : words.nobody;
  $('claim').hidden = item.agentId === account;
  $('block').textContent = item.blocked ? words.unblock : words.block;
  $('block').dataset.blocked = String(Boolean(item.blocked));
}

function refuse(problem) {
  $('connection').hidden = false;
  $('connection').textContent = errorText(problem.frame || {});
  setTimeout(() => { if (connection.state === 'open') $('connection').hidden = true; }, 4000);
}

const act = (req) => connection.request({ conversationId: current, ...req }).catch(refuse);

// ask shows the dialog; it resolves with the text, or null.
function ask(title, text, choices = [], required = false) {
  const dialog = $('dialog'), input = $('dialog-text');
  $('dialog-title').textContent = title;
  $('dialog-label').textContent = text;
  $('dialog-ok').textContent = title;
  $('dialog-list').replaceChildren(...choices.map((c) => { const o = el('option'); o.value = c; return o; }));
  input.value = '';
  input.required = required;
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === 'ok' ? input.value.trim() : null);
  });
}

$('claim').onclick = () => act({ type: 'claim' });
$('resume').onclick = () => connection.request({ type: 'resumeReception' }).catch(refuse);
$('transfer').onclick = async () => {
  const to = await ask(words.transferTitle, words.transferLabel, [...agents.keys()], true);
  if (to) act({ type: 'transfer', agentId: to });
};
$('block').onclick = async () => {
  if ($('block').dataset.blocked === 'true') { act({ type: 'unblock' }); return; }
  const reason = await ask(words.blockTitle, words.blockLabel, [], true);
  if (reason) act({ type: 'block', reason });
};
$('close').onclick = async () => {
  const reason = await ask(words.closeTitle, words.closeLabel);
  if (reason !== null) act({ type: 'close', reason: reason || 'agent' });
};
$('back').onclick = () => {
  document.body.classList.remove('talking');
  const row = rows.get(current);
  if (row) row.querySelector('.item').focus();
};
$('state').onchange = () => {
  $('state-dot').dataset.state = $('state').value;
  connection.request({ type: 'presence', state: $('state').value }).catch(refuse);
};
$('state-dot').dataset.state = 'online';
$('filter').oninput = draw;
composer({ form: $('composer'), text: $('text'), file: $('file'), attach: $('attach'), view: () => views.get(current), typing: () => connection.write({ type: 'typing', conversationId: current, on: true }) });

// Quick replies go into the box: the agent sends them, so that they count as replies by hand.
function toggleQuick(show = $('quick').hidden) {
  $('quick').hidden = !show;
  $('quick-button').setAttribute('aria-expanded', String(show));
  if (!show) return;
  $('quick').replaceChildren(...(quick.length ? quick.map((text, n) => {
    const b = el('button', 'quick-item', text);
    b.type = 'button';
    b.onclick = () => {
      $('text').value += text;
      toggleQuick(false);
      $('text').focus();
    };
    if (n === 0) setTimeout(() => b.focus());
    return b;
  }) : [el('p', 'empty', words.noQuick)]));
  const view = views.get(current);
  if (view) view.toEnd();
}
$('quick-button').onclick = () => toggleQuick();
$('text').addEventListener('input', () => {
  if ($('text').value === '/') { $('text').value = ''; toggleQuick(true); }
});
document.addEventListener('visibilitychange', () => { const v = views.get(current); if (v) v.seen(); });
document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && !$('quick').hidden) { toggleQuick(false); $('text').focus(); }
  if (!e.altKey || (e.key !== 'ArrowDown' && e.key !== 'ArrowUp')) return;
  e.preventDefault();
  const list = ordered();
  if (!list.length) return;
  const at = list.findIndex((i) => i.conversationId === current);
  const next = e.key === 'ArrowDown' ? Math.min(at + 1, list.length - 1) : Math.max(at - 1, 0);
  open(list[next].conversationId, true);
});

start();
