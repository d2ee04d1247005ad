// The reviewers' desk on the review API. Everything that comes from outside becomes text, never markup.
const all = {
  zh: { title: '审核台', queue: '待审', appeals: '申诉', account: '账号', statistics: '统计', signOut: '退出', other: 'English', category: '类别', side: '责任方', all: '全部', consumer: '消费者', shop: '店铺', claimed: '领取', free: '未领取', mine: '我的', ruling: '状态', open: '待处理', confirmed: '已确认', dismissed: '已驳回', granted: '申诉成立', refused: '申诉驳回', state: '状态', emptyQueue: '没有待审的内容。', more: '更多', accountId: '账号或店铺编号', show: '查看',
    dismissAll: '全部驳回', confirmAll: '全部确认', selected: (n) => `已选 ${n} 条`, choose: '从左侧选择一条开始审核。J / K 上下，1 确认，2 驳回，3 领取。', back: '返回', claim: '领取', release: '放弃领取', confirm: '确认违规', dismiss: '驳回', note: '备注（当事人可见）', loss: '造成对方钱款损失', again: '重新裁定', when: '时间', confidence: '置信度', detector: '检测器', version: '版本', offender: '责任方', sub: '细类', severity: '程度', conversation: '会话', claimedBy: (w, t) => `${w} 领取至 ${t}`, words: '原文', seen: (e) => `检测器所见：${e}`, noWords: '没有可显示的原文。', recorded: '本次查看已留痕。',
    history: '记录', verdicts: '裁定', sanctions: '处罚', none: '无', reversed: '已撤销', until: (t) => `至 ${t}`, forever: '永久', points: (n) => `${n} 分`, grant: '支持申诉', refuse: '驳回申诉', noAppeals: '没有申诉。', flags: '命中', auto: '自动确认', by: '维度', value: '值', changed: '改类别', precision: '精确率', overturned: '被申诉推翻', banned: '已封禁', muted: (t) => `禁言至 ${t}`, inForce: '当前积分', signInTitle: '登录审核台', token: '令牌', signIn: '登录', badToken: '令牌无效、过期，或不是审核员的。', failed: (c, d) => `操作未完成：${d || c}`, saved: '已保存。',
    categories: { third_party_info: '第三方信息', abuse: '辱骂', political: '涉政', obscene: '色情低俗', spam: '滥发信息', fraud: '欺诈', malicious_block: '恶意拉黑', malicious_claim: '恶意索赔', misuse: '不当使用', account_takeover: '账号异常' }, kinds: { shield: '屏蔽', mute: '禁言', ban: '封禁', points: '扣分', milestone: '节点处理', order_flag: '订单关注' }, dims: { category: '类别', detector: '检测器', version: '版本', reviewer: '审核员' }, roles: { consumer: '消费者', agent: '客服', bot: '机器人', system: '系统' } },
  en: { title: 'Review desk', queue: 'Queue', appeals: 'Appeals', account: 'Account', statistics: 'Statistics', signOut: 'Sign out', other: '中文', category: 'Category', side: 'Side', all: 'All', consumer: 'Consumer', shop: 'Shop', claimed: 'Claimed', free: 'Free', mine: 'Mine', ruling: 'State', open: 'Open', confirmed: 'Confirmed', dismissed: 'Dismissed', granted: 'Granted', refused: 'Refused', state: 'State', emptyQueue: 'Nothing waits.', more: 'More', accountId: 'Account or shop', show: 'Show',
    dismissAll: 'Dismiss all', confirmAll: 'Confirm all', selected: (n) => `${n} selected`, choose: 'Choose one on the left. J / K move, 1 confirms, 2 dismisses, 3 claims.', back: 'Back', claim: 'Claim', release: 'Give back', confirm: 'Confirm', dismiss: 'Dismiss', note: 'Note (the parties can read it)', loss: 'It cost the other side money', again: 'Rule again', when: 'When', confidence: 'Confidence', detector: 'Detector', version: 'Version', offender: 'Offender', sub: 'Kind', severity: 'Severity', conversation: 'Conversation', claimedBy: (w, t) => `${w} has it until ${t}`, words: 'Words', seen: (e) => `What the detector saw: ${e}`, noWords: 'There are no words to show.', recorded: 'This reading is recorded.',
    history: 'History', verdicts: 'Verdicts', sanctions: 'Sanctions', none: 'None', reversed: 'reversed', until: (t) => `until ${t}`, forever: 'for good', points: (n) => `${n} points`, grant: 'Grant', refuse: 'Refuse', noAppeals: 'No appeals.', flags: 'Flags', auto: 'Confirmed at once', by: 'By', value: 'Value', changed: 'Category changed', precision: 'Precision', overturned: 'Overturned', banned: 'Banned', muted: (t) => `Muted until ${t}`, inForce: 'Points in force', signInTitle: 'Sign in', token: 'Token', signIn: 'Sign in', badToken: 'The token is wrong, has expired, or is not a reviewer\'s.', failed: (c, d) => `Not done: ${d || c}`, saved: 'Saved.',
    categories: { third_party_info: 'Third-party information', abuse: 'Abuse', political: 'Political', obscene: 'Obscene', spam: 'Spam', fraud: 'Fraud', malicious_block: 'Malicious block', malicious_claim: 'Malicious claim', misuse: 'Misuse', account_takeover: 'Account taken over' }, kinds: { shield: 'Shield', mute: 'Mute', ban: 'Ban', points: 'Points', milestone: 'Milestone', order_flag: 'Order flag' }, dims: { category: 'Category', detector: 'Detector', version: 'Version', reviewer: 'Reviewer' }, roles: { consumer: 'Consumer', agent: 'Agent', bot: 'Bot', system: 'System' } },
};
const stored = (k) => { try { return sessionStorage.getItem(k) || ''; } catch { return ''; } };
const store = (k, v) => { try { if (v) sessionStorage.setItem(k, v); else sessionStorage.removeItem(k); } catch { /* this page's memory does */ } };
const lang = new URLSearchParams(location.search).get('lang') || stored('feige.lang') || (navigator.language.startsWith('zh') ? 'zh' : 'en');
const w = all[lang] || all.zh;
document.documentElement.lang = lang === 'en' ? 'en' : 'zh';
document.title = w.title;
const $ = (id) => document.getElementById(id);
const el = (tag, className, text) => { const e = document.createElement(tag); if (className) e.className = className; if (text !== undefined) e.textContent = text; return e; };
const moment = new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : 'zh-CN', { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
const at = (us) => moment.format(new Date(us / 1000));
for (const e of document.querySelectorAll('[data-word]')) e.textContent = w[e.dataset.word];
$('language').textContent = w.other;
$('language').onclick = () => { store('feige.lang', lang === 'en' ? 'zh' : 'en'); location.search = ''; };

let token = '', me = null, flags = [], next = '', current = '';
const chosen = new Set();

// api makes a request; a refusal is thrown with its code.
async function api(method, path, body, headers = {}) {
  const res = await fetch(`/api/v1/review${path}`, { method, headers: { Authorization: `Bearer ${token}`, ...(body ? { 'Content-Type': 'application/json' } : {}), ...headers }, body: body ? JSON.stringify(body) : undefined });
  const data = await res.json().catch(() => ({}));
  if (!res.ok) {
    if (res.status === 401) { store('feige.token.review', ''); signIn(w.badToken); }
    throw Object.assign(new Error(data.detail || data.code), { code: data.code || String(res.status), detail: data.detail });
  }
  return data;
}
let fading = 0;
function say(text) {
  $('notice').textContent = text;
  $('notice').hidden = !text;
  clearTimeout(fading);
  fading = setTimeout(() => { $('notice').hidden = true; }, 5000);
}
const failed = (e) => say(w.failed(e.code || '', e.detail || e.message));

function claims(t) {
  try { return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(t.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0)))); } catch { return null; }
}
function signIn(problem = '') {
  $('desk').hidden = true;
  $('sign-out').hidden = true;
  const form = el('form', 'sign-in');
  const input = el('textarea');
  input.rows = 4;
  input.required = true;
  input.spellcheck = false;
  input.setAttribute('aria-label', w.token);
  const button = el('button', 'primary', w.signIn);
  const bad = el('p', 'problem', problem);
  bad.setAttribute('role', 'alert');
  form.append(el('h2', '', w.signInTitle), input, bad, button);
  form.onsubmit = (e) => { e.preventDefault(); store('feige.token.review', input.value.trim()); begin(input.value.trim()); };
  $('sign-in').replaceChildren(form);
  input.focus();
}
function begin(t) {
  const c = claims(t);
  if (!c || !['reviewer', 'auditor'].includes(c.role) || c.exp * 1000 < Date.now()) { signIn(t ? w.badToken : ''); return; }
  token = t;
  me = c;
  $('sign-in').replaceChildren();
  $('desk').hidden = false;
  $('sign-out').hidden = false;
  $('who').textContent = c.sub;
  load();
}
$('sign-out').onclick = () => { store('feige.token.review', ''); location.reload(); };

// Tabs.
function tab(name) {
  for (const b of $('tabs').children) if (b.dataset.tab === name) b.setAttribute('aria-current', 'page'); else b.removeAttribute('aria-current');
  for (const s of document.querySelectorAll('[data-pane]')) s.hidden = s.dataset.pane !== name;
  document.body.dataset.tab = name;
  if (name === 'appeals') loadAppeals();
  if (name === 'statistics') loadStatistics();
}
for (const b of $('tabs').children) b.onclick = () => tab(b.dataset.tab);
tab('queue');

// The queue.
const any = el('option', '', w.all);
any.value = '';
$('category').append(any, ...Object.entries(w.categories).map(([value, text]) => { const o = el('option', '', text); o.value = value; return o; }));
$('filters').onchange = () => load();
$('filters').onsubmit = (e) => { e.preventDefault(); load(); };
async function load(more = false) {
  const query = new URLSearchParams([...new FormData($('filters'))].filter(([, v]) => v));
  if (more && next) query.set('cursor', next);
  try {
    const page = await api('GET', `/queue?${query}`);
    flags = more ? flags.concat(page.items) : page.items;
    next = page.next || '';
    if (!more) chosen.clear();
    draw();
  } catch (e) { failed(e); }
}
$('more').onclick = () => load(true);
function draw() {
  $('flags').replaceChildren(...flags.map((f) => {
    const li = el('li', `flag${f.flagId === current ? ' current' : ''}`);
    const box = el('input');
    box.type = 'checkbox';
    box.checked = chosen.has(f.flagId);
    box.hidden = me.role !== 'reviewer';
    box.setAttribute('aria-label', `${w.categories[f.category]} ${f.offenderId}`);
    box.onchange = () => { if (box.checked) chosen.add(f.flagId); else chosen.delete(f.flagId); bulk(); };
    const b = el('button');
    b.type = 'button';
    b.dataset.flag = f.flagId;
    const what = el('span', 'what', w.categories[f.category] || f.category);
    if (f.subKind) what.append(el('span', 'meta', ` · ${f.subKind}`));
    const holder = f.claimedBy ? el('span', `chip${f.claimedBy === me.sub ? ' mine' : ''}`, f.claimedBy === me.sub ? w.mine : f.claimedBy) : el('span');
    b.append(what, el('span', 'level', `${Math.round(f.confidence * 100)}%`), el('span', 'meta', `${f.offenderKind === 'shop' ? w.shop : w.consumer} ${f.offenderId} · ${f.shopId}`), el('span', 'when', at(f.atUs)));
    if (f.claimedBy) b.append(holder);
    b.onclick = () => open(f.flagId);
    li.append(box, b);
    return li;
  }));
  $('queue-empty').hidden = flags.length > 0;
  $('more').hidden = !next;
  if (!current) $('case').replaceChildren(el('p', 'empty', w.choose));
  bulk();
}
function bulk() {
  $('bulk').hidden = chosen.size === 0;
  $('bulk-count').textContent = w.selected(chosen.size);
}
async function bulkRule(ruling) {
  const ids = [...chosen];
  try {
    const { results } = await api('POST', '/verdicts', { verdicts: ids.map((flagId) => ({ flagId, ruling })) }, { 'Idempotency-Key': crypto.randomUUID() });
    const bad = results.filter((r) => r.status !== 200);
    say(bad.length ? w.failed('', bad.map((r) => `${r.flagId}: ${r.detail || r.code}`).join('; ')) : w.saved);
    load();
  } catch (e) { failed(e); }
}
$('bulk-confirm').onclick = () => bulkRule('confirmed');
$('bulk-dismiss').onclick = () => bulkRule('dismissed');

// One case.
async function open(id) {
  current = id;
  document.body.classList.add('reading');
  draw();
  try {
    const k = await api('GET', `/flags/${encodeURIComponent(id)}`);
    if (current !== id) return;
    showCase(k);
    const reason = me.role === 'auditor' ? prompt(w.note) : '';
    if (reason === null) return;
    const talk = await api('GET', `/flags/${encodeURIComponent(id)}/conversation${reason ? `?reason=${encodeURIComponent(reason)}` : ''}`);
    if (current === id) showWords(talk);
  } catch (e) { failed(e); }
}
function fact(list, name, value) {
  if (!value) return;
  const d = el('div');
  d.append(el('dt', '', name), value instanceof Node ? value : el('dd', '', value));
  list.append(d);
}
const ruled = (r) => el('span', `chip ${r === 'confirmed' ? 'bad' : r === 'dismissed' ? 'good' : ''}`, w[r]);
function showCase(k) {
  const f = k.flag, box = $('case');
  const head = el('header', 'case-head');
  const back = el('button', 'plain back', w.back);
  back.onclick = () => { document.body.classList.remove('reading'); };
  head.append(back, el('h2', '', w.categories[f.category] || f.category), ruled(f.ruling));
  if (f.claimedBy) head.append(el('span', 'chip mine', w.claimedBy(f.claimedBy, at(f.claimedUntilUs))));
  const facts = el('dl', 'facts');
  const who = el('dd');
  const link = el('button', 'link', `${f.offenderKind === 'shop' ? w.shop : w.consumer} ${f.offenderId}`);
  link.onclick = () => showAccount(f.offenderKind, f.offenderId);
  who.append(link);
  fact(facts, w.offender, who);
  fact(facts, w.shop, f.shopId);
  fact(facts, w.sub, f.subKind);
  fact(facts, w.severity, f.severity);
  fact(facts, w.confidence, `${(f.confidence * 100).toFixed(1)}%`);
  fact(facts, w.detector, f.detector);
  fact(facts, w.version, f.detectorVersion);
  fact(facts, w.when, at(f.atUs));
  const words = el('section', 'words');
  words.id = 'words';
  const parts = [head, facts, words];
  if (me.role === 'reviewer') parts.push(verdictForm(k));
  parts.push(history(k));
  box.replaceChildren(...parts);
  box.scrollTop = 0;
}
function showWords(talk) {
  const box = $('words');
  if (!box) return;
  const lines = talk.lines.map((l) => {
    const row = el('div', `line${l.flagged ? ' flagged' : ''}`);
    const said = el('p', 'said');
    if (l.flagged && talk.spanTo > talk.spanFrom) {
      const runes = Array.from(l.text);
      said.append(runes.slice(0, talk.spanFrom).join(''), el('mark', '', runes.slice(talk.spanFrom, talk.spanTo).join('')), runes.slice(talk.spanTo).join(''));
    } else said.textContent = l.text;
    row.append(el('span', 'role', w.roles[l.role] || l.role), said, el('span', 'time', at(l.atUs)));
    return row;
  });
  box.replaceChildren(...(lines.length ? lines : [el('p', 'evidence', w.noWords)]));
  if (talk.evidence) box.append(el('p', 'evidence', w.seen(talk.evidence)));
  box.append(el('p', 'evidence', w.recorded));
  const hit = box.querySelector('.flagged');
  if (hit) hit.scrollIntoView({ block: 'nearest' });
}
function verdictForm(k) {
  const f = k.flag, form = el('form', 'verdict');
  const judged = k.verdicts.length > 0;
  const note = el('input', 'note');
  note.placeholder = w.note;
  note.maxLength = 1000;
  note.setAttribute('aria-label', w.note);
  const category = el('select', 'note');
  category.setAttribute('aria-label', w.category);
  category.append(...Object.entries(w.categories).map(([value, text]) => { const o = el('option', '', text); o.value = value; o.selected = value === f.category; return o; }));
  const lossBox = el('input');
  lossBox.type = 'checkbox';
  const loss = el('label');
  loss.append(lossBox, w.loss);
  const rule = async (ruling) => {
    try {
      await api('POST', `/flags/${encodeURIComponent(f.flagId)}/verdict`, { ruling, note: note.value, loss: lossBox.checked || undefined, again: judged || undefined, category: category.value !== f.category ? category.value : undefined }, { 'Idempotency-Key': crypto.randomUUID() });
      say(w.saved);
      const n = flags.findIndex((x) => x.flagId === f.flagId);
      const following = flags[n + 1] || flags[n - 1];
      await load();
      if (following && flags.some((x) => x.flagId === following.flagId)) open(following.flagId);
      else { current = ''; document.body.classList.remove('reading'); draw(); }
    } catch (e) { failed(e); }
  };
  const button = (className, text, key, act, id) => {
    const b = el('button', className, text);
    b.type = 'button';
    b.id = id;
    b.append(el('kbd', '', key));
    b.onclick = act;
    return b;
  };
  const mine = f.claimedBy === me.sub;
  form.append(note, category, loss,
    button('bad', judged ? `${w.again}: ${w.confirm}` : w.confirm, '1', () => rule('confirmed'), 'confirm'),
    button('good', judged ? `${w.again}: ${w.dismiss}` : w.dismiss, '2', () => rule('dismissed'), 'dismiss'),
    button('plain', mine ? w.release : w.claim, '3', async () => {
      try {
        const changed = await api(mine ? 'DELETE' : 'POST', `/flags/${encodeURIComponent(f.flagId)}/claim`);
        const n = flags.findIndex((x) => x.flagId === f.flagId);
        if (n >= 0) flags[n] = changed.flag;
        draw();
        open(f.flagId);
      } catch (e) { failed(e); }
    }, 'claim'));
  form.onsubmit = (e) => e.preventDefault();
  return form;
}
function history(k) {
  const box = el('section', 'history');
  const part = (title, items) => {
    box.append(el('h3', '', title));
    const list = el('ul');
    list.append(...(items.length ? items : [el('li', 'soft', w.none)]));
    box.append(list);
  };
  part(w.verdicts, k.verdicts.map((v) => { const li = el('li'); li.append(ruled(v.ruling), el('span', '', v.reviewerId || ''), el('span', 'soft', at(v.atUs)), el('span', 'soft', v.note || '')); return li; }));
  part(w.sanctions, k.sanctions.map(sanction));
  part(w.appeals, k.appeals.map((a) => { const li = el('li'); li.append(el('span', `chip ${a.state === 'granted' ? 'good' : ''}`, w[a.state]), el('span', '', a.reason), el('span', 'soft', at(a.atUs)), el('span', 'soft', a.note || '')); return li; }));
  return box;
}
function sanction(s) {
  const li = el('li');
  li.append(el('span', `chip ${s.reversed ? '' : 'bad'}`, w.kinds[s.kind] || s.kind), el('span', '', w.categories[s.category] || s.category), el('span', 'soft', `${at(s.fromUs)} ${s.untilUs ? w.until(at(s.untilUs)) : s.kind === 'shield' ? '' : w.forever}`));
  if (s.points) li.append(el('span', '', w.points(s.points)));
  if (s.reversed) li.append(el('span', 'chip good', w.reversed));
  return li;
}

// Appeals.
$('appeal-state').onchange = loadAppeals;
async function loadAppeals() {
  try {
    const page = await api('GET', `/appeals?state=${$('appeal-state').value}`);
    $('appeal-list').replaceChildren(...(page.items.length ? page.items.map(appealBox) : [el('p', 'empty', w.noAppeals)]));
  } catch (e) { failed(e); }
}
function appealBox(a) {
  const box = el('section', 'history');
  const head = el('h3', '', '');
  const link = el('button', 'link', `${a.offenderKind === 'shop' ? w.shop : w.consumer} ${a.offenderId}`);
  link.onclick = () => { tab('queue'); open(a.flagId); };
  head.append(link);
  const list = el('ul');
  const li = el('li');
  li.append(el('span', `chip ${a.state === 'granted' ? 'good' : ''}`, w[a.state]), el('span', '', a.reason), el('span', 'soft', at(a.atUs)));
  list.append(li);
  box.append(head, list);
  if (a.state === 'open' && me.role === 'reviewer') {
    const form = el('form', 'filters');
    const note = el('input', 'note');
    note.placeholder = w.note;
    note.setAttribute('aria-label', w.note);
    const decide = async (granted) => { try { await api('POST', `/appeals/${encodeURIComponent(a.appealId)}/decision`, { granted, note: note.value }); say(w.saved); loadAppeals(); } catch (e) { failed(e); } };
    const yes = el('button', 'good', w.grant), no = el('button', 'plain', w.refuse);
    yes.type = no.type = 'button';
    yes.onclick = () => decide(true);
    no.onclick = () => decide(false);
    form.append(note, yes, no);
    form.onsubmit = (e) => e.preventDefault();
    box.append(form);
  }
  return box;
}

// Accounts.
$('account-form').onsubmit = (e) => { e.preventDefault(); const d = new FormData(e.target); showAccount(d.get('kind'), d.get('id').trim()); };
async function showAccount(kind, id) {
  tab('account');
  const form = $('account-form');
  form.elements.kind.value = kind;
  form.elements.id.value = id;
  try {
    const a = await api('GET', `/accounts/${kind}/${encodeURIComponent(id)}`);
    const tiles = el('div', 'tiles');
    const tile = (value, text) => { const t = el('div', 'tile'); t.append(el('b', '', value), el('span', '', text)); tiles.append(t); };
    tile(String(a.cases.length), w.flags);
    tile(String(a.cases.filter((c) => c.flag.ruling === 'confirmed').length), w.confirmed);
    if (kind === 'shop') tile(String(a.points), w.inForce);
    if (a.banned) tile('✕', w.banned);
    if (a.mutedUntilUs) tile('🔇', a.mutedUntilUs < 0 ? w.forever : w.muted(at(a.mutedUntilUs)));
    const sanctions = el('section', 'history'), list = el('ul');
    list.append(...(a.sanctions.length ? a.sanctions.map(sanction) : [el('li', 'soft', w.none)]));
    sanctions.append(el('h3', '', w.sanctions), list);
    const cases = el('section', 'history'), rows = el('ul');
    rows.append(...a.cases.map((c) => { const li = el('li'); const b = el('button', 'link', w.categories[c.flag.category] || c.flag.category); b.onclick = () => { tab('queue'); open(c.flag.flagId); }; li.append(b, ruled(c.flag.ruling), el('span', 'soft', at(c.flag.atUs)), el('span', 'soft', `${Math.round(c.flag.confidence * 100)}%`)); return li; }));
    cases.append(el('h3', '', w.history), rows);
    $('account-view').replaceChildren(tiles, sanctions, cases);
  } catch (e) { failed(e); }
}

// Statistics.
async function loadStatistics() {
  try {
    const s = await api('GET', '/statistics');
    const tiles = el('div', 'tiles');
    for (const [n, text] of [[s.flags, w.flags], [s.open, w.open], [s.autoConfirmed, w.auto]]) { const t = el('div', 'tile'); t.append(el('b', '', String(n)), el('span', '', text)); tiles.append(t); }
    const table = el('table'), head = el('thead'), body = el('tbody'), tr = el('tr');
    tr.append(...[w.by, w.value, w.confirmed, w.dismissed, w.precision, w.changed, w.overturned].map((t) => { const th = el('th', '', t); th.scope = 'col'; return th; }));
    head.append(tr);
    body.append(...s.agreements.map((g) => { const r = el('tr'); r.append(...[w.dims[g.by], g.by === 'category' ? w.categories[g.value] || g.value : g.value, g.confirmed, g.dismissed, g.precision === undefined ? '–' : `${Math.round(g.precision * 100)}%`, g.changedCategory, g.reversed].map((t) => el('td', '', String(t)))); return r; }));
    table.append(head, body);
    $('statistics-view').replaceChildren(tiles, table);
  } catch (e) { failed(e); }
}

document.addEventListener('keydown', (e) => {
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) && e.target.type !== 'checkbox' || e.ctrlKey || e.metaKey || e.altKey || $('desk').hidden || document.body.dataset.tab !== 'queue') return;
  const n = flags.findIndex((f) => f.flagId === current);
  const keys = { j: () => flags[n + 1] && open(flags[n + 1].flagId), k: () => flags[Math.max(n - 1, 0)] && open(flags[Math.max(n - 1, 0)].flagId), 1: () => $('confirm') && $('confirm').click(), 2: () => $('dismiss') && $('dismiss').click(), 3: () => $('claim') && $('claim').click() };
  if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
});
setInterval(() => { if (me && document.body.dataset.tab === 'queue' && !document.hidden && chosen.size === 0 && !next) load(); }, 10000);
const hash = new URLSearchParams(location.hash.slice(1)).get('token');
if (hash) { store('feige.token.review', hash); history_clean(); }
function history_clean() { window.history.replaceState(null, '', location.pathname + location.search); }
begin(hash || stored('feige.token.review'));
