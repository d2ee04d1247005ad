// The relay's protocol (docs/protocol.md): one websocket that connects again, goes on from its position, and sends
// again, with the same ids, what has no answer.

const publishing = new Set(['send', 'read', 'open', 'close', 'rate', 'claim', 'transfer', 'block', 'unblock', 'resumeReception']);
const fatal = new Set(['version', 'hello_first', 'unauthorized', 'client_refused', 'forbidden']);
const remembered = 2000;

// ids of requests: new in every tab.
const run = 'w' + Array.from(crypto.getRandomValues(new Uint8Array(9)), (b) => (b % 36).toString(36)).join('');
let numbered = 0;
export const newId = () => `${run}-${++numbered}`;

// Problem is a refusal of the relay.
export class Problem extends Error {
  constructor(frame) {
    super(frame.text || frame.code);
    this.frame = frame;
    this.code = frame.code;
  }
}

// Connection tells, as events: 'state' {state: connecting|open|lost|ended, code}, 'welcome', 'event' (each once, in
// order), and any other frame by its type.
export class Connection extends EventTarget {
  constructor({ client, token, shop }) {
    super();
    Object.assign(this, { client, token, shop });
    this.position = '';
    this.calls = []; // without an answer, in order
    this.seen = new Set();
    this.pause = 500;
    this.state = '';
    this.ended = false;
    addEventListener('online', () => this.now());
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.now(); });
    setInterval(() => this.write({ type: 'ping' }), 20000);
    this.connect();
  }

  tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

  become(state, extra = {}) {
    this.state = state;
    this.tell('state', { state, ...extra });
  }

  // now ends a pause between attempts.
  now() {
    if (this.timer) {
      clearTimeout(this.timer);
      this.timer = 0;
      this.connect();
    }
  }

  async connect() {
    if (this.ended) return;
    this.become(this.position ? 'lost' : 'connecting');
    let token;
    try {
      token = await this.token();
    } catch {
      this.again();
      return;
    }
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`);
    this.socket = socket;
    this.welcomed = false;
    socket.onopen = () => socket.send(JSON.stringify({
      type: 'hello', id: newId(), versions: [1], token, client: this.client, clientVersion: '1.0', shopId: this.shop || undefined, position: this.position || undefined,
    }));
    socket.onmessage = (m) => { if (this.socket === socket) this.take(JSON.parse(m.data)); };
    socket.onclose = () => { if (this.socket === socket) { this.socket = null; this.again(); } };
  }

  again() {
    if (this.ended) return;
    this.welcomed = false;
    for (const call of this.calls) call.flying = false;
    this.become(this.position ? 'lost' : 'connecting');
    const wait = Math.max(this.pause / 2 + Math.random() * this.pause / 2, this.after || 0);
    this.after = 0;
    this.pause = Math.min(this.pause * 2, 10000);
    this.timer = setTimeout(() => { this.timer = 0; this.connect(); }, wait);
  }

  end(frame) {
    this.ended = true;
    this.become('ended', { frame });
    for (const call of this.calls.splice(0)) call.reject(new Problem(frame));
    if (this.socket) this.socket.close();
  }

  write(frame) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN && this.welcomed) this.socket.send(JSON.stringify(frame));
  }

  // request sends until there is an answer. Requests that publish go one after the other in a conversation.
  request(req) {
    return new Promise((resolve, reject) => {
      this.calls.push({ req: { id: newId(), ...req }, resolve, reject, flying: false, tries: 0, notBefore: 0 });
      this.pump();
    });
  }

  pump() {
    if (!this.welcomed) return;
    const busy = new Set();
    for (const call of this.calls) {
      const key = publishing.has(call.req.type) ? `c ${call.req.conversationId || ''}` : '';
      if (key && busy.has(key)) continue;
      if (key) busy.add(key);
      if (call.flying || call.notBefore > Date.now()) continue;
      call.flying = true;
      this.write(call.req);
    }
  }

  take(f) {
    switch (f.type) {
      case 'welcome':
        this.welcomed = true;
        this.pause = 500;
        this.welcome = f;
        if (!this.position) this.position = f.position || '';
        this.become('open');
        this.tell('welcome', f);
        this.pump();
        return;
      case 'message':
      case 'event':
        if (f.position) this.position = f.position;
        this.happened(f.event, f.position);
        return;
      case 'position':
      case 'caughtUp':
        if (f.position) this.position = f.position;
        break;
      case 'error':
        if (this.failed(f)) return;
        break;
    }
    if (f.re) this.answered(f);
    this.tell(f.type, f);
  }

  // happened tells of an event, once.
  happened(event, position) {
    if (this.seen.has(event.eventId)) return;
    this.seen.add(event.eventId);
    if (this.seen.size > remembered) this.seen.delete(this.seen.values().next().value);
    this.tell('event', { event, position });
  }

  failed(f) {
    if (f.code === 'position_gone') {
      this.position = '';
      this.tell('gap', f);
      return true;
    }
    if (!this.welcomed || !f.re) {
      if (fatal.has(f.code)) this.end(f);
      else if (f.retryAfterMs) this.after = f.retryAfterMs;
      return !this.welcomed;
    }
    return false;
  }

  answered(f) {
    const n = this.calls.findIndex((c) => c.req.id === f.re);
    if (n < 0) return;
    const call = this.calls[n];
    if (f.type === 'error' && f.retry) {
      call.flying = false;
      call.tries++;
      const wait = Math.min(Math.max(f.retryAfterMs || 300, 300) * 2 ** Math.min(call.tries - 1, 4), 10000);
      call.notBefore = Date.now() + wait;
      setTimeout(() => this.pump(), wait + 5);
      this.tell('retrying', { id: call.req.id, frame: f });
      return;
    }
    this.calls.splice(n, 1);
    if (f.type === 'error') call.reject(new Problem(f));
    else call.resolve(f);
    this.pump();
  }
}

// upload sends a file and returns {receipt, attachment}. progress is told percents.
export function upload({ file, token, conversation, progress }) {
  return new Promise((resolve, reject) => {
    token().then((t) => {
      const x = new XMLHttpRequest();
      x.open('POST', `/upload?conversationId=${encodeURIComponent(conversation)}`);
      x.setRequestHeader('Authorization', `Bearer ${t}`);
      x.setRequestHeader('X-File-Name', encodeURIComponent(file.name || 'file'));
      x.upload.onprogress = (e) => { if (e.lengthComputable) progress(Math.floor(100 * e.loaded / e.total)); };
      x.onload = () => {
        let body = {};
        try { body = JSON.parse(x.responseText); } catch { /* a proxy's page */ }
        if (x.status === 201) resolve(body);
        else reject(new Problem({ code: body.code || 'internal', text: body.text }));
      };
      x.onerror = () => reject(new Problem({ code: 'try_again' }));
      x.send(file);
    }, reject);
  });
}
