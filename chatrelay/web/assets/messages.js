// One conversation as people see it: events of the log, oldest first, and what is not sent yet. Everything that comes
// from outside becomes text, never markup.
import { newId, upload } from './connection.js';
import { dayOf, errorText, momentOf, timeOf, words } from './words.js';

const el = (tag, className, text) => {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
};

// initial and hue make an avatar of an id.
export function avatar(node, id) {
  let hue = 0;
  for (const c of id) hue = (hue * 31 + c.codePointAt(0)) % 360;
  node.textContent = (Array.from(id)[0] || '?').toUpperCase();
  node.dataset.hue = String(Math.floor(hue / 30));
}

function robot(face) {
  const img = el('img');
  img.src = new URL('bot.svg', import.meta.url).href;
  img.alt = '';
  face.classList.add('robot');
  face.append(img);
}

// View shows a conversation in a log element. side: 'consumer' or 'shop'.
export class View {
  constructor({ log, connection, conversation, side, account, token, pages = true }) {
    Object.assign(this, { log, connection, conversation, side, account, token });
    this.nodes = new Map(); // by event id
    this.times = [];
    this.pending = new Map(); // own messages without their event, by request id
    this.before = '';
    this.readUpTo = '';
    this.newest = '';
    this.log.replaceChildren();
    this.older = el('button', 'older small', words.older);
    this.older.type = 'button';
    this.older.hidden = true;
    this.older.onclick = () => this.history();
    this.empty = el('p', 'empty', side === 'consumer' ? words.noMessages : words.deskNoMessages);
    this.log.append(this.older, this.empty);
    if (pages) this.log.onscroll = () => { if (this.log.scrollTop < 40 && !this.older.hidden) this.history(); };
  }

  // history reads back a page.
  async history() {
    if (this.loading) return;
    this.loading = true;
    this.older.disabled = true;
    try {
      const f = await this.connection.request({ type: 'history', conversationId: this.conversation, before: this.before || undefined, limit: 50 });
      const from = this.log.scrollHeight - this.log.scrollTop;
      for (const e of (f.events || [])) this.add(e.event, { old: true });
      this.before = f.before || '';
      this.older.hidden = !f.more;
      if (this.loaded) this.log.scrollTop = this.log.scrollHeight - from;
      else this.toEnd();
      this.loaded = true;
    } catch { /* the button stays */ } finally {
      this.loading = false;
      this.older.disabled = false;
    }
  }

  atEnd() { return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80; }

  toEnd() { this.log.scrollTop = this.log.scrollHeight; }

  own(event) {
    const role = event.actor && event.actor.role;
    return this.side === 'consumer' ? role === 'ROLE_CONSUMER' : role === 'ROLE_AGENT' || role === 'ROLE_BOT';
  }

  // add shows an event once, at its place in time.
  add(event, { old = false } = {}) {
    if (event.messageShielded) {
      this.shield(event.messageShielded.messageEventId, true);
      return false;
    }
    if (event.conversationRead) {
      const role = event.actor && event.actor.role;
      if ((role === 'ROLE_CONSUMER') !== (this.side === 'consumer')) this.markRead(event.conversationRead.upToEventId);
      return false;
    }
    if (this.nodes.has(event.eventId)) return false;
    const node = event.message ? this.message(event) : this.note(event);
    if (!node) return false;
    const end = this.atEnd();
    this.nodes.set(event.eventId, node);
    const at = Number(event.occurredAtUs);
    node.dataset.at = String(at);
    for (const [id, p] of this.pending) {
      if (p.eventId === event.eventId || event.message && event.message.clientMessageId === id) {
        p.node.remove();
        this.pending.delete(id);
      }
    }
    // History comes in order before what is there; what happens now comes last.
    if (old && this.firstNode) {
      const next = this.nextAfter(at);
      this.log.insertBefore(node, next);
    } else {
      this.log.insertBefore(node, this.firstPending());
    }
    this.firstNode = this.firstNode || node;
    if (event.message) this.newest = old && this.newest ? this.newest : event.eventId;
    this.empty.hidden = true;
    this.days();
    if (end || this.own(event)) this.toEnd();
    return true;
  }

  nextAfter(at) {
    for (const n of this.log.querySelectorAll('[data-at]')) if (Number(n.dataset.at) > at) return n;
    return this.firstPending();
  }

  firstPending() { return this.log.querySelector('.pending'); }

  // days puts a line before the first of each day.
  days() {
    for (const d of this.log.querySelectorAll('.day')) d.remove();
    let last = '';
    for (const n of this.log.querySelectorAll('[data-at]')) {
      const day = dayOf(Number(n.dataset.at));
      if (day !== last) n.before(el('div', 'day', day));
      last = day;
    }
  }

  message(event) {
    const m = event.message, role = event.actor.role, own = this.own(event);
    const row = el('article', `row ${own ? 'own' : 'other'}${role === 'ROLE_BOT' ? ' bot' : ''}`);
    row.dataset.event = event.eventId;
    const who = role === 'ROLE_BOT' ? words.bot : role === 'ROLE_AGENT' ? words.agentName(event.actor.id) : role === 'ROLE_SYSTEM' ? words.system : event.actor.id;
    const face = el('span', 'avatar');
    face.setAttribute('aria-hidden', 'true');
    if (role === 'ROLE_BOT') robot(face);
    else avatar(face, event.actor.id || '?');
    const body = el('div', 'body');
    const head = el('p', 'who');
    head.append(el('span', 'name', own && event.actor.id === this.account && role !== 'ROLE_BOT' ? words.you : who));
    if (role === 'ROLE_BOT') head.append(el('span', 'tag', words.bot));
    if (event.actor.automatic) head.append(el('span', 'tag plain', words.auto));
    const bubble = el('div', 'bubble');
    this.fill(bubble, m, event);
    const foot = el('p', 'foot');
    const time = el('time', '', timeOf(Number(event.occurredAtUs)));
    time.dateTime = new Date(Number(event.occurredAtUs) / 1000).toISOString();
    time.title = momentOf(Number(event.occurredAtUs));
    foot.append(time, el('span', 'read-mark'));
    body.append(head, bubble, foot);
    row.append(face, body);
    if (m.shielded && !own) this.hide(row);
    return row;
  }

  fill(bubble, m, event) {
    if (m.text) bubble.append(el('p', 'text', m.text));
    if (m.card) {
      const card = el('div', 'card');
      card.append(el('span', 'card-kind', m.card.kind || words.card), el('span', 'card-title', m.card.title || m.card.id));
      bubble.append(card);
    }
    for (const a of m.attachments || []) bubble.append(this.attachment(a, event));
  }

  attachment(a, event) {
    const link = () => this.connection.request({ type: 'link', conversationId: this.conversation, attachmentId: a.id });
    if ((a.mimeType || '').startsWith('image/')) {
      const open = el('button', 'picture');
      open.type = 'button';
      const img = el('img');
      img.alt = a.fileName ? `${words.picture}: ${a.fileName}` : words.picture;
      open.append(img);
      link().then((f) => { img.src = f.url; img.onload = () => { if (this.atEnd()) this.toEnd(); }; }, () => { open.textContent = words.errors.not_found; });
      open.onclick = () => link().then((f) => window.open(f.url, '_blank', 'noopener'), () => {});
      return open;
    }
    const open = el('button', 'attached');
    open.type = 'button';
    open.append(el('span', 'file-name', a.fileName || words.file), el('span', 'file-size', `${Math.max(1, Math.round(Number(a.size || 0) / 1024))} KB`));
    open.onclick = () => link().then((f) => window.open(f.url, '_blank', 'noopener'), () => {});
    return open;
  }

  note(event) {
    let text = '';
    if (event.conversationClosed) text = words.conversationClosed;
    else if (event.conversationTransferred && this.side === 'shop') text = words.transferred(event.conversationTransferred.toAgentId);
    else if (event.conversationRated) text = words.ratedDone(event.conversationRated.score);
    else if (event.consumerBlocked) text = words.blockedNow;
    else if (event.consumerUnblocked) text = words.unblockedNow;
    if (!text) return null;
    const row = el('p', 'note', text);
    row.dataset.event = event.eventId;
    return row;
  }

  shield(eventId, on) {
    const row = this.nodes.get(eventId);
    if (!row || !row.classList.contains('row')) return;
    if (row.classList.contains('own')) return;
    if (on) this.hide(row);
    else row.classList.remove('shielded');
  }

  hide(row) {
    row.classList.add('shielded');
    if (!row.querySelector('.hidden-text')) row.querySelector('.body').append(el('p', 'hidden-text', words.hiddenMessage));
  }

  // markRead notes that the other side has seen everything up to an event.
  markRead(eventId) {
    const node = this.nodes.get(eventId);
    if (!node) return;
    for (const m of this.log.querySelectorAll('.read-mark')) m.textContent = '';
    const at = Number(node.dataset.at);
    const own = [...this.log.querySelectorAll('.row.own')].filter((r) => r.dataset.at && Number(r.dataset.at) <= at);
    if (own.length) own[own.length - 1].querySelector('.read-mark').textContent = words.read;
  }

  // send shows a message at once and sends it until it is there or refused.
  send(req, shown = { text: req.text }) {
    const id = newId();
    const row = el('article', 'row own pending');
    const face = el('span', 'avatar');
    face.setAttribute('aria-hidden', 'true');
    avatar(face, this.account);
    const body = el('div', 'body');
    const bubble = el('div', 'bubble');
    if (shown.text) bubble.append(el('p', 'text', shown.text));
    if (shown.file) bubble.append(el('p', 'attached', shown.file));
    const foot = el('p', 'foot', words.sending);
    foot.setAttribute('role', 'status');
    body.append(bubble, foot);
    row.append(face, body);
    this.log.append(row);
    this.empty.hidden = true;
    this.toEnd();
    const entry = { node: row, eventId: '' };
    this.pending.set(id, entry);
    const go = () => {
      row.classList.remove('failed');
      foot.textContent = words.sending;
      this.connection.request({ ...req, id, type: 'send', conversationId: this.conversation }).then((ack) => {
        entry.eventId = ack.eventId;
        if (this.nodes.has(ack.eventId)) { row.remove(); this.pending.delete(id); }
      }, (problem) => {
        row.classList.add('failed');
        foot.replaceChildren(el('span', 'problem', `${words.unsent}: ${errorText(problem.frame || {})} `));
        const again = el('button', 'link', words.resend);
        again.type = 'button';
        again.onclick = go;
        foot.append(again);
      });
    };
    go();
  }

  // attach uploads a file and sends it.
  attach(file) {
    const row = el('article', 'row own pending');
    const body = el('div', 'body');
    const bubble = el('div', 'bubble');
    bubble.append(el('p', 'attached', file.name || words.file));
    const foot = el('p', 'foot', words.uploading(0));
    const bar = el('progress');
    bar.max = 100;
    bar.value = 0;
    body.append(bubble, bar, foot);
    row.append(body);
    this.log.append(row);
    this.toEnd();
    if (file.size > 10 * 1024 * 1024) {
      bar.remove();
      row.classList.add('failed');
      foot.textContent = words.tooBig;
      return;
    }
    upload({ file, token: this.token, conversation: this.conversation, progress: (p) => { bar.value = p; foot.textContent = words.uploading(p); } }).then(({ receipt }) => {
      row.remove();
      this.send({ attachments: [receipt] }, { file: file.name || words.file });
    }, (problem) => {
      bar.remove();
      row.classList.add('failed');
      foot.textContent = `${words.uploadFailed}: ${errorText(problem.frame || {})}`;
    });
  }

  // seen tells the other side that the newest message was shown.
  seen() {
    if (!this.newest || this.newest === this.readUpTo || document.hidden) return;
    const node = this.nodes.get(this.newest);
    if (!node || node.classList.contains('own')) return;
    this.readUpTo = this.newest;
    this.connection.request({ type: 'read', conversationId: this.conversation, upToEventId: this.newest }).catch(() => {});
  }
}

// composer binds a form to a view, which may change.
export function composer({ form, text, file, attach, view, typing }) {
  const grow = () => { text.rows = Math.min(6, Math.max(1, text.value.split('\n').length + Math.floor(text.value.length / 60))); };
  let typed = 0;
  text.addEventListener('input', () => {
    grow();
    if (typing && Date.now() - typed > 2000) { typed = Date.now(); typing(); }
  });
  text.addEventListener('keydown', (e) => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    const say = text.value.trim();
    if (!say || !view()) return;
    view().send({ text: say });
    text.value = '';
    grow();
    text.focus();
  });
  attach.addEventListener('click', () => file.click());
  file.addEventListener('change', () => {
    if (file.files.length && view()) view().attach(file.files[0]);
    file.value = '';
  });
  text.addEventListener('paste', (e) => {
    const item = [...(e.clipboardData ? e.clipboardData.files : [])].find((f) => f.type.startsWith('image/'));
    if (item && view()) { e.preventDefault(); view().attach(item); }
  });
}

// typingLine shows for a moment that somebody types.
export function typingLine(node) {
  let timer = 0;
  return (on) => {
    clearTimeout(timer);
    node.textContent = on ? words.typing : '';
    if (on) timer = setTimeout(() => { node.textContent = ''; }, 5000);
  };
}

// standing puts a sanction into words.
export function standing(sanction, side) {
  if (!sanction) return '';
  if (sanction.banned) return side === 'shop' ? words.shopBanned : words.banned;
  if (sanction.mutedUntilUs === -1) return side === 'shop' ? words.shopBanned : words.mutedForGood;
  if (sanction.mutedUntilUs > Date.now() * 1000) return (side === 'shop' ? words.shopMuted : words.mutedUntil)(momentOf(sanction.mutedUntilUs));
  return '';
}

// connectionNotice shows that the connection is lost, and what ended it.
export function connectionNotice(connection, notice, onEnd) {
  connection.addEventListener('state', ({ detail }) => {
    notice.replaceChildren();
    notice.hidden = detail.state === 'open' || detail.state === 'connecting';
    if (detail.state === 'lost') {
      const now = el('button', 'link', words.retryNow);
      now.type = 'button';
      now.onclick = () => connection.now();
      notice.append(el('span', '', words.reconnecting), now);
    }
    if (detail.state === 'ended') {
      notice.append(el('span', '', words.ended + errorText(detail.frame)));
      if (onEnd) onEnd(detail.frame);
    }
  });
}
