// Words and numbers, as people of either language read them.
const all = {
  zh: {
    product: '飞鸽', other: 'English', skip: '跳到内容', nav: '页面', theme: '切换深色与浅色', language: '语言', signOut: '退出', review: '审核台',
    signInTitle: '登录控制台', signInHint: '粘贴令牌。店铺主管看到自己的店铺，平台人员看到全部店铺。', token: '令牌', signIn: '登录', signInFailed: '令牌无效、已过期，或没有查看控制台的权限。', forbidden: (r) => `角色 ${r} 没有查看控制台的权限。`, unreachable: '服务器没有响应。',
    period: '考核周期', newest: '最新', shop: '店铺', allShops: '全部店铺', agent: '客服', allAgents: '全部客服', category: '类别', allCategories: '全部类别', span: '时间范围', conversation: '会话',
    spans: { '1h': '1 小时', '6h': '6 小时', '24h': '24 小时', '7d': '7 天', '15d': '15 天', '30d': '30 天', period: '整个周期' },
    live: (t) => `实时 · ${t}`, connecting: '连接中…', broken: '连接中断，正在重连…', away: '数据库暂无响应，正在重试；下面是最后读到的数据。',
    day: (n, of) => `第 ${n} 天，共 ${of} 天`, left: (t) => `剩余 ${t}`, over: '周期已结束', begins: '周期尚未开始',
    filter: '筛选', rows: (n) => `${n} 行`, some: (n, of) => `${n} / ${of} 行`, all: (n) => `显示全部 ${n} 行`, fewer: '收起', csv: '导出 CSV', none: '没有数据', noMatch: '没有符合筛选的行', failed: '暂时读不到', slow: '查询超时', asTable: '以表格查看', time: '时间', range: '预测区间', rangeOf: (l, h, s) => `${l} 至 ${h}，标准 ${s}`,
    yes: '是', no: '否', chooseShop: '选择一家店铺', chooseShopHint: '在上方输入店铺，或从表中选择。', chooseConversation: '从任意表格打开一个会话。',
    roles: { manager: '店铺主管', operator: '平台运营', reviewer: '审核员', auditor: '审计员' }, unanswered: '未回复',
  },
  en: {
    product: 'Feige', other: '中文', skip: 'Skip to content', nav: 'Pages', theme: 'Dark or light', language: 'Language', signOut: 'Sign out', review: 'Review desk',
    signInTitle: 'Sign in to the console', signInHint: 'Paste your token. Managers see their own shop, the platform’s people see every shop.', token: 'Token', signIn: 'Sign in', signInFailed: 'The token is wrong, has expired, or gives no place here.', forbidden: (r) => `Role ${r} has no place in the console.`, unreachable: 'The server does not answer.',
    period: 'Period', newest: 'newest', shop: 'Shop', allShops: 'All shops', agent: 'Agent', allAgents: 'All agents', category: 'Category', allCategories: 'All categories', span: 'Time range', conversation: 'Conversation',
    spans: { '1h': '1 hour', '6h': '6 hours', '24h': '24 hours', '7d': '7 days', '15d': '15 days', '30d': '30 days', period: 'Whole period' },
    live: (t) => `Live · ${t}`, connecting: 'Connecting…', broken: 'Connection lost, trying again…', away: 'The database does not answer; trying again. Below is what was read last.',
    day: (n, of) => `Day ${n} of ${of}`, left: (t) => `${t} left`, over: 'The period has ended', begins: 'The period has not begun',
    filter: 'Filter', rows: (n) => `${n} ${n === 1 ? 'row' : 'rows'}`, some: (n, of) => `${n} of ${of} rows`, all: (n) => `Show all ${n}`, fewer: 'Show fewer', csv: 'Export CSV', none: 'Nothing to show', noMatch: 'No row matches', failed: 'Cannot be read now', slow: 'Took too long', asTable: 'Show as a table', time: 'Time', range: 'Forecast range', rangeOf: (l, h, s) => `${l} to ${h}, standard ${s}`,
    yes: 'yes', no: 'no', chooseShop: 'Choose a shop', chooseShopHint: 'Type one above, or take one from the table.', chooseConversation: 'Open a conversation from any table.',
    roles: { manager: 'manager', operator: 'operator', reviewer: 'reviewer', auditor: 'auditor' }, unanswered: 'unanswered',
  },
};

export const stored = (key) => { try { return localStorage.getItem(key) || ''; } catch { return ''; } };
export const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* this page knows it */ } };

const asked = new URLSearchParams(location.search).get('lang') || stored('feige.lang') || (navigator.language.startsWith('zh') ? 'zh' : 'en');
export const lang = asked === 'en' ? 'en' : 'zh';
export const w = all[lang];
document.documentElement.lang = lang;

// what the server calls things; set once it has said.
export const known = { words: {}, verdicts: {}, timeZone: 'Asia/Shanghai' };
export const say = (text) => (text ? text[lang] || text.en : '');
export const word = (key) => (known.words[key] ? say(known.words[key]) : key);

const whole = new Intl.NumberFormat(lang);
const fine = new Intl.NumberFormat(lang, { maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(lang, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
export const count = (n) => (Number.isInteger(n) ? whole : fine).format(n);
export const share = (n) => percent.format(n);

const units = lang === 'zh' ? ['秒', '分', '小时', '天'] : ['s', 'min', 'h', 'd'];
export function duration(seconds) {
  const sign = seconds < 0 ? '-' : '';
  let s = Math.abs(seconds);
  if (s < 59.95) return `${sign}${fine.format(s)} ${units[0]}`;
  s = Math.round(s);
  const parts = s < 3600 ? [[Math.floor(s / 60), 1], [s % 60, 0]] : s < 86400 ? [[Math.floor(s / 3600), 2], [Math.floor(s % 3600 / 60), 1]] : [[Math.floor(s / 86400), 3], [Math.floor(s % 86400 / 3600), 2]];
  return sign + parts.filter(([n], i) => i === 0 || n > 0).map(([n, u]) => `${whole.format(n)} ${units[u]}`).join(' ');
}

const formats = new Map();
function format(name, options) {
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat('en-CA', { timeZone: known.timeZone, hourCycle: 'h23', ...options }));
  return formats.get(name);
}
const parts = (f, us) => Object.fromEntries(f.formatToParts(new Date(us / 1000)).map((p) => [p.type, p.value]));
const full = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' };
// instant is short, exact is for tooltips and files.
export function instant(us) {
  const p = parts(format('full', full), us);
  const here = parts(format('full', full), Date.now() * 1000);
  return `${p.year === here.year ? '' : `${p.year}-`}${p.month}-${p.day} ${p.hour}:${p.minute}`;
}
export function exact(us) {
  const p = parts(format('full', full), us);
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
}
export const clock = (us) => exact(us).slice(11);

// ofIndicator shows a value of an indicator: a share, seconds, or a number of things.
export const ofIndicator = (name, v) => (name.includes('_rate') ? share(v) : name.endsWith('_seconds') ? duration(v) : count(v));

// show is a cell's text. row gives what the unit depends on.
export function show(column, v, row) {
  if (v === null || v === undefined || v === '') return '–';
  switch (column.unit) {
    case 'count': return count(v);
    case 'share': return share(v);
    case 'seconds': return duration(v);
    case 'instant': return instant(v);
    case 'yes': return v ? w.yes : w.no;
    case 'indicator': case 'verdict': case 'word': return word(v);
    case 'words': return v.split(', ').map(word).join(lang === 'zh' ? '、' : ', ');
    case 'mixed': return ofIndicator(row('indicator') || '', v);
  }
  return String(v);
}

// colour of a value by a column's thresholds.
export function colour(column, v) {
  if (column.unit === 'verdict') return known.verdicts[v] || '';
  if (!column.steps || v === null || v === undefined) return '';
  let last = '';
  for (const s of column.steps) if (s.from === undefined || v >= s.from) last = s.colour;
  return last;
}
